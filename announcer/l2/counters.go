package l2

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
)

// counters count what happened on one interface for one family.
type counters struct {
	requests   atomic.Uint64
	replies    atomic.Uint64
	gratuitous atomic.Uint64
	conflicts  atomic.Uint64
	// drops are frames that were not understood, by their fault.
	drops [frame.FaultCount]atomic.Uint64
	// unsent are replies that the interface did not take.
	unsent atomic.Uint64
}

// family is a label of metrics.
type family string

const (
	v4 family = "IPv4"
	v6 family = "IPv6"
)

func familyOf(addr netip.Addr) family {
	if addr.Is4() {
		return v4
	}
	return v6
}

// counterKey is what a set of counters belongs to. It is the interface's name,
// so that counters survive the interface.
type counterKey struct {
	name   string
	family family
}

// registry holds the counters of all interfaces that there ever were. It is
// safe for concurrent use.
type registry struct {
	mu  sync.Mutex
	all map[counterKey]*counters
}

func newRegistry() *registry { return &registry{all: make(map[counterKey]*counters)} }

func (r *registry) counters(name string, f family) *counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := counterKey{name: name, family: f}
	c, ok := r.all[key]
	if !ok {
		c = new(counters)
		r.all[key] = c
	}
	return c
}

// samples returns every counter, in a steady order.
func (r *registry) samples() []announcer.Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]counterKey, 0, len(r.all))
	for k := range r.all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b counterKey) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.family, b.family))
	})
	var all []announcer.Sample
	for _, k := range keys {
		all = r.all[k].appendSamples(all, k)
	}
	return all
}

func (c *counters) appendSamples(all []announcer.Sample, k counterKey) []announcer.Sample {
	add := func(metric, reason string, value uint64) {
		all = append(all, announcer.Sample{
			Metric: metric, Interface: k.name, Family: string(k.family), Reason: reason, Value: float64(value),
		})
	}
	add("herald_requests_received_total", "", c.requests.Load())
	add("herald_replies_sent_total", "", c.replies.Load())
	add("herald_gratuitous_sent_total", "", c.gratuitous.Load())
	add("herald_conflicts_total", "", c.conflicts.Load())
	for f := frame.None + 1; f < frame.FaultCount; f++ {
		add("herald_drops_total", f.String(), c.drops[f].Load())
	}
	add("herald_drops_total", "unsent", c.unsent.Load())
	return all
}
