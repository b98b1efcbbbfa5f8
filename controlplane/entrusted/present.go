package entrusted

import (
	"context"
	"time"
)

// lookAgain is the time between two looks if the announcer is there.
const lookAgain = 200 * time.Millisecond

// Ready returns a channel that gives what ready does, as long as the announcer is there
// and knows an interface for the VIP, else false: who cannot hold it is not to be
// elected. It ends with ctx.
func (s *Seat) Ready(ctx context.Context, ready <-chan bool) <-chan bool {
	both := make(chan bool, 1)
	go func() {
		ticker := time.NewTicker(lookAgain)
		defer ticker.Stop()
		var server, told, first bool
		first = true
		for {
			select {
			case <-ctx.Done():
				return
			case server = <-ready:
			case <-ticker.C:
			}
			is := server && s.able()
			if is == told && !first {
				continue
			}
			told, first = is, false
			select {
			case <-both:
			default:
			}
			both <- is
		}
	}()
	return both
}

// able says that the announcer can hold the VIP.
func (s *Seat) able() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client.Connected() && !s.unplaced
}
