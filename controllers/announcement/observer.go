package announcement

import (
	"net/netip"
	"sync/atomic"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/nodesocket"
)

// paths takes how those to routers are, and that what was seen before is not to be
// compared with what comes.
type paths interface {
	ObservePaths([]announcer.BFDStatus)
	ForgetPaths()
}

// observer takes what the announcer says.
type observer struct {
	ledger *ledger
	// report is told of every address whose status changed.
	report func(netip.Addr)
	// alone is told whether the announcer hears no peer.
	alone func(bool)
	view  *LatestView
	owned *Owned
	// paths is told how those to routers are.
	paths paths

	samples atomic.Pointer[[]announcer.Sample]
}

var _ nodesocket.Observer = (*observer)(nil)

// Reset implements nodesocket.Observer.
func (o *observer) Reset() {
	o.paths.ForgetPaths()
	o.ledger.reset()
	o.owned.reset()
}

// Away implements nodesocket.Observer.
func (o *observer) Away() {
	o.view.forget()
	o.paths.ForgetPaths()
	o.alone(false)
	for _, addr := range o.ledger.announcerAway() {
		o.report(addr)
	}
}

// Observe implements nodesocket.Observer.
func (o *observer) Observe(status announcer.Status) {
	o.ledger.observed(status)
	o.owned.observed(status)
	o.report(status.Address)
}

// ObserveSamples implements nodesocket.Observer.
func (o *observer) ObserveSamples(samples []announcer.Sample) { o.samples.Store(&samples) }

// ObserveView implements nodesocket.Observer.
func (o *observer) ObserveView(view announcer.View) {
	o.view.set(view)
	o.alone(view.Alone)
	o.paths.ObservePaths(view.BFD)
}

// latest returns the last samples.
func (o *observer) latest() []announcer.Sample {
	if samples := o.samples.Load(); samples != nil {
		return *samples
	}
	return nil
}
