// Package routeradvert makes this node known to routers on a link by router advertisements
// (RFC 4861 section 4.2): a BGP session that is configured by interface ("unnumbered") has
// no other way to learn a neighbor's address. FRR refuses connections of one that it did
// not learn.
//
// The advertisements say no more than that: the router lifetime is 0, so that nobody on the
// link takes the node for a default router, and there is no prefix. FRR asks for neither.
// With a lifetime of 0 there is nothing to take back at the end.
//
// When to send is decided by the agenda, which has no socket and no clock; the loop carries
// it out, on ports.
package routeradvert

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/heraldlb/herald/announcer/l2/link"
)

// Advertiser advertises this node on links, in the network namespace that it is run in. Its
// methods are safe for concurrent use.
type Advertiser struct {
	log  *slog.Logger
	wake chan struct{}

	mu         sync.Mutex
	names      []string
	complaints []string
}

// New returns an Advertiser that does nothing until it is run.
func New(log *slog.Logger) *Advertiser {
	return &Advertiser{log: log, wake: make(chan struct{}, 1)}
}

// SetInterfaces makes the interfaces exactly those with these names. It never blocks.
func (a *Advertiser) SetInterfaces(names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Equal(a.names, names) {
		return
	}
	a.names = slices.Clone(names)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *Advertiser) interfaces() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.names)
}

// Complaints are why the node is not advertised on interfaces, in words, for somebody to
// mend.
func (a *Advertiser) Complaints() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.complaints)
}

// complain takes note of the complaints, and reports whether they are others than before.
func (a *Advertiser) complain(all []string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Equal(a.complaints, all) {
		return false
	}
	a.complaints = all
	return true
}

// Run advertises until ctx ends, then returns nil. Changes tell of this host's interfaces.
// Changed is called when Complaints are others than before; it does not block. Run can be
// called once.
func (a *Advertiser) Run(ctx context.Context, changes <-chan []link.Interface, changed func()) error {
	newLoop(a, changed).run(ctx, changes)
	return nil
}
