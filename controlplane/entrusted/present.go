package entrusted

import (
	"context"
	"time"
)

// lookAgain is the time between two looks if the announcer answers.
const lookAgain = 200 * time.Millisecond

// hung is how long an announcer that is told to hold the VIP may say nothing: it answers
// each such word at once. The socket's own silence is for who is told nothing.
const hung = time.Second

// hangs reports whether the announcer is there, and does not do what it is told.
func (s *Seat) hangs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client.Connected() && !s.unanswered.IsZero() && time.Since(s.unanswered) >= hung
}

// Ready returns a channel that gives what ready does, as long as the announcer answers
// and knows an interface for the VIP, else false: who cannot hold it is not to be
// elected. As ready, it has no word before the first. It ends with ctx.
func (s *Seat) Ready(ctx context.Context, ready <-chan bool) <-chan bool {
	both := make(chan bool, 1)
	go func() {
		ticker := time.NewTicker(lookAgain)
		defer ticker.Stop()
		var known, server, told, first, silent bool
		first = true
		for {
			select {
			case <-ctx.Done():
				return
			case server = <-ready:
				known = true
			case <-ticker.C:
			}
			hangs := s.hangs()
			if hangs != silent {
				silent = hangs
				s.log.Warn("whether the announcer does what it is told: it hangs, or its --elector is another, if not", "does", !hangs)
			}
			is := server && !hangs && s.able()
			if !known || is == told && !first {
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
