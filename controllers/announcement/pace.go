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
	// contestInterval is for ReasonContested. A stranger that speaks now and then
	// makes two writes of it, one for its word and one for its silence. The burst
	// leaves one to spare, for a write that is refused.
	contestInterval = 10 * time.Minute
	contestBurst    = 2
)

// pace limits the reports on each address: to a burst, and one in every interval.
type pace struct {
	interval time.Duration
	burst    int
	limiters map[netip.Addr]*rate.Limiter
}

func newPace(interval time.Duration, burst int) *pace {
	return &pace{interval: interval, burst: burst, limiters: make(map[netip.Addr]*rate.Limiter)}
}

// wait returns 0 if a report on addr may be made now, else when to ask again.
func (p *pace) wait(addr netip.Addr, now time.Time) time.Duration {
	limiter := p.limiters[addr]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Every(p.interval), p.burst)
		p.limiters[addr] = limiter
	}
	reservation := limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay > 0 {
		reservation.CancelAt(now)
	}
	return delay
}

// forget is for an address that is nobody's any more.
func (p *pace) forget(addr netip.Addr) { delete(p.limiters, addr) }
