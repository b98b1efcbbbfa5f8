package announcement

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// How often is reported: of one address a burst, and then seldom, so that one
// that flaps is no load; of all together, as fast as an agent may write.
const (
	addressBurst    = 5
	addressInterval = 30 * time.Second
	writesPerSecond = 50
	writesBurst     = 200
)

// pace limits the reports on each address.
type pace map[netip.Addr]*rate.Limiter

// wait returns 0 if a report on addr may be made now, else when to ask again.
func (p pace) wait(addr netip.Addr, now time.Time) time.Duration {
	limiter := p[addr]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Every(addressInterval), addressBurst)
		p[addr] = limiter
	}
	reservation := limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay > 0 {
		reservation.CancelAt(now)
	}
	return delay
}
