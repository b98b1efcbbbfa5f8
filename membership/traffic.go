package membership

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// traffic counts what one interface and family carried. The thread counts,
// anybody reads.
type traffic struct {
	sent, received, lost atomic.Uint64
	// late is by how much heartbeats of others came later than they had said.
	late delays
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
	t.traffic.late.observe(late)
}

// delays is a histogram.
type delays struct {
	counts [len(delayBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

// delayBounds are the upper bounds of delays' buckets.
var delayBounds = [...]time.Duration{ //nolint:gochecknoglobals // an array cannot be a constant
	100 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second,
}

func (d *delays) observe(delay time.Duration) {
	delay = max(delay, 0)
	i := 0
	for i < len(delayBounds) && delay > delayBounds[i] {
		i++
	}
	d.counts[i].Add(1)
	d.sum.Add(int64(delay))
}

func (d *delays) histogram() *announcer.Histogram {
	h := &announcer.Histogram{Sum: time.Duration(d.sum.Load()).Seconds()}
	for i := range d.counts {
		h.Count += d.counts[i].Load()
		if i < len(delayBounds) {
			h.Buckets = append(h.Buckets, announcer.Bucket{UpperBound: delayBounds[i].Seconds(), Count: h.Count})
		}
	}
	return h
}

// counters are all that is counted. What belongs to an interface is kept by its
// name, so that it outlives it.
type counters struct {
	// timer is by how much the thread woke too late.
	timer delays
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
		{Metric: "herald_heartbeat_timer_lateness_seconds", Histogram: c.timer.histogram()},
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
		add(announcer.Sample{Metric: "herald_heartbeat_lateness_seconds", Histogram: t.late.histogram()})
	}
	return all
}
