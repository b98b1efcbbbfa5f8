// Package seat has this node hold the VIP: on an interface, so that the kernel
// takes its packets, and announced to the neighbours. It does what an elector says,
// and no longer than that said.
package seat

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/address"
)

// Options are those of a Seat.
type Options struct {
	// Interface is the name of the one that VIPs go on; empty: the one with a subnet
	// that holds the VIP, or else that of the default route.
	Interface string
	// Loopback has VIPs go on lo, where the kernel takes their packets, and announced
	// on no link: routers lead here.
	Loopback bool
	// Lifetime is after how long the kernel takes a VIP off whose process no longer
	// says that it is held; 0 is DefaultLifetime. It is said again each third of it.
	Lifetime time.Duration
	// Linger is for how long the connections to a VIP that was given up go on, while
	// nobody is led here any more; 0 is for not at all, as it has to be where a successor
	// waits until the VIP is off.
	Linger time.Duration
	// Sources, if not nil, returns the addresses of another node on the interface of that
	// index: one that hands over is passed on what belongs to it.
	Sources func(node string, index int) []netip.Addr
	// Placed, if not nil, is told of the first VIP, by which the nodes know the seat,
	// and the name of the interface that it belongs on, or another one if it belongs on
	// none, at each change. The name is empty if this node can hold nothing: there is no
	// such interface that is up, it refused the VIP a moment ago, or a VIP is an address of
	// the node itself.
	Placed func(vip netip.Addr, on string)
	// Held, if not nil, is told which VIPs this node takes connections for, those that
	// linger included, at each change.
	Held func([]netip.Addr)
}

// DefaultLifetime is for Options.Lifetime. The kernel counts in seconds, and looks
// when it has time.
const DefaultLifetime = 6 * time.Second

// Seat is a controlplane.Seat. Its methods are safe for concurrent use.
type Seat struct {
	options Options
	wire    announcer.Announcer
	log     *slog.Logger
	wake    chan struct{}

	mu     sync.Mutex
	orders orders
	// vacant is closed while no interface has a VIP and none is to have one.
	vacant chan struct{}
	counts counts
}

var _ controlplane.Seat = (*Seat)(nil)

// orders are what the elector and the wire said.
type orders struct {
	vips    []netip.Addr
	holding bool
	term    controlplane.Term
	renew   bool
	// statuses are the newest of each VIP.
	statuses map[netip.Addr]announcer.Status
}

// New returns a seat for the VIPs, announced by wire, that nobody holds.
func New(o Options, vips []netip.Addr, wire announcer.Announcer, log *slog.Logger) *Seat {
	if o.Lifetime == 0 {
		o.Lifetime = DefaultLifetime
	}
	s := &Seat{options: o, wire: wire, log: log, wake: make(chan struct{}, 1), vacant: make(chan struct{})}
	s.orders = orders{vips: slices.Clone(vips), statuses: make(map[netip.Addr]announcer.Status)}
	return s
}

// order changes the orders, and has them carried out.
func (s *Seat) order(change func(*orders)) {
	s.mu.Lock()
	change(&s.orders)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Hold implements controlplane.Seat.
func (s *Seat) Hold(t controlplane.Term) {
	s.order(func(o *orders) {
		if o.holding {
			t.Probe, t.From = o.term.Probe, o.term.From // the term goes on
		}
		s.occupy()
		o.holding, o.term = true, t
	})
}

// occupy has Vacant wait, with s.mu held.
func (s *Seat) occupy() {
	select {
	case <-s.vacant:
		s.vacant = make(chan struct{})
	default:
	}
}

// empty has Vacant return, with s.mu held.
func (s *Seat) empty() {
	select {
	case <-s.vacant:
	default:
		close(s.vacant)
	}
}

// Renew implements controlplane.Seat.
func (s *Seat) Renew() { s.order(func(o *orders) { o.renew = true }) }

// Release implements controlplane.Seat.
func (s *Seat) Release() { s.order(func(o *orders) { o.holding = false }) }

// Vacant implements controlplane.Seat.
func (s *Seat) Vacant(ctx context.Context) error {
	s.mu.Lock()
	vacant := s.vacant
	s.mu.Unlock()
	select {
	case <-vacant:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// SetVIPs says which addresses are the VIPs from now on: a name may come to mean
// others.
func (s *Seat) SetVIPs(vips []netip.Addr) {
	s.order(func(o *orders) { o.vips = slices.Clone(vips) })
}

// Report takes in how the announcement of a VIP fares.
func (s *Seat) Report(status announcer.Status) {
	s.order(func(o *orders) { o.statuses[status.Address] = status })
}

// Run holds VIPs, as it is told, on the interfaces that changes tells of, until ctx
// ends; then it takes them off and returns nil. At first it takes off what another
// run left. The error wraps address.ErrPermission if addresses may not be changed.
func (s *Seat) Run(ctx context.Context, changes <-chan []link.Interface) error {
	if err := address.Permitted(); err != nil {
		return fmt.Errorf("hold a VIP: %w", err)
	}
	keeper := &keeper{Seat: s, tenancies: make(map[netip.Addr]*tenancy)}
	keeper.sweep()
	defer keeper.leave()
	return keeper.run(ctx, changes)
}
