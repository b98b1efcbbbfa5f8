package l2

import (
	"time"

	"github.com/heraldlb/herald/announcer/l2/mld"
)

// reports are MLD packets on their way out, no more than reportsAtOnce each
// reportsGap. What the interface has no room for stays.
type reports struct {
	queue []mld.Packet
	// next is when more may be sent.
	next time.Time
}

const (
	reportsAtOnce = 8
	reportsGap    = 8 * time.Millisecond
)

func (r *reports) none() bool { return len(r.queue) == 0 }

func (r *reports) add(packets []mld.Packet) { r.queue = append(r.queue, packets...) }

// send sends what may be sent now. After an error that does not pass, all that
// waits is given up: it would fail as well.
func (r *reports) send(now time.Time, write func(mld.Packet) error) error {
	if now.Before(r.next) {
		return nil
	}
	r.next = now.Add(reportsGap)
	for range min(reportsAtOnce, len(r.queue)) {
		err := write(r.queue[0])
		switch {
		case err == nil:
			r.queue = r.queue[1:]
		case passing(err):
			return nil
		default:
			r.queue = nil
			return err
		}
	}
	return nil
}
