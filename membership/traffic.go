package membership

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/internal/realtime"
)

// traffic counts what one interface and family carried. The thread counts,
// anybody reads.
type traffic struct {
	sent, received, lost atomic.Uint64
	// late is by how much heartbeats of others came later than they had said.
	late realtime.Delays
}

// tally counts the heartbeats of one member on one route.
type tally struct {
	lost    atomic.Uint64
	traffic *traffic
}

// mostLost bounds what one gap counts: the sender may have jumped.
const mostLost = 1 << 10

// count counts a heartbeat that came by late after missing others were lost.
func (t *tally) count(missing uint64, late time.Duration) {
	t.traffic.received.Add(1)
	if missing = min(missing, mostLost); missing > 0 {
		t.lost.Add(missing)
		t.traffic.lost.Add(missing)
		return // it is late because others are lost
	}
	t.traffic.late.Observe(late)
}

// counters are all that is counted. What belongs to an interface is kept by its
// name, so that it outlives it.
type counters struct {
	// timer is by how much the thread woke too late.
	timer realtime.Delays
	// suspensions, by what was noticed.
	lateTimer, overflow atomic.Uint64
	drops               [drops]atomic.Uint64

	mu    sync.Mutex
	ports map[portName]*traffic
}

type portName struct{ link, family string }

func (c *counters) traffic(link, family string) *traffic {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := portName{link: link, family: family}
	t := c.ports[key]
	if t == nil {
		t = new(traffic)
		if c.ports == nil {
			c.ports = make(map[portName]*traffic)
		}
		c.ports[key] = t
	}
	return t
}

// samples returns all that is counted, in a steady order.
func (c *counters) samples() []announcer.Sample {
	all := []announcer.Sample{
		{Metric: "herald_heartbeat_timer_lateness_seconds", Histogram: c.timer.Histogram()},
		{Metric: "herald_local_health_suspensions_total", Reason: "timer", Value: float64(c.lateTimer.Load())},
		{Metric: "herald_local_health_suspensions_total", Reason: "overflow", Value: float64(c.overflow.Load())},
	}
	for d := taken + 1; d < drops; d++ {
		all = append(all, announcer.Sample{Metric: "herald_heartbeat_drops_total", Reason: d.label(), Value: float64(c.drops[d].Load())})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]portName, 0, len(c.ports))
	for n := range c.ports {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b portName) int {
		return cmp.Or(cmp.Compare(a.link, b.link), cmp.Compare(a.family, b.family))
	})
	for _, n := range names {
		t := c.ports[n]
		add := func(s announcer.Sample) {
			s.Interface, s.Family = n.link, n.family
			all = append(all, s)
		}
		add(announcer.Sample{Metric: "herald_heartbeats_sent_total", Value: float64(t.sent.Load())})
		add(announcer.Sample{Metric: "herald_heartbeats_received_total", Value: float64(t.received.Load())})
		add(announcer.Sample{Metric: "herald_heartbeats_lost_total", Value: float64(t.lost.Load())})
		add(announcer.Sample{Metric: "herald_heartbeat_lateness_seconds", Histogram: t.late.Histogram()})
	}
	return all
}
