// Package anycast has every node hold the control plane's VIP whose own API server is
// ready, and tell routers so. Nobody is elected: routers spread clients over the nodes.
//
// The VIP is on a node before routers hear of it, and leaves it when they have had the
// time to send their traffic elsewhere. A node whose API server is not ready does not
// keep it: what such a node asks the VIP goes to another one, as kubelets need to that
// join, or whose own API server is away.
package anycast

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
)

// Routers are told which VIPs lead here.
type Routers interface {
	// Advertise replaces what they were told. It does not block.
	Advertise(vips []netip.Addr)
}

const (
	// Linger is how long routers have to send traffic elsewhere before the VIP goes.
	Linger = time.Second
	// renewal is the time between two words to who has the VIP on an interface.
	renewal = time.Second
	// abandoned is after how long without a word it takes the VIP off: no earlier than
	// routers forget what a process that died told them.
	abandoned = 3 * time.Minute
	// patience bounds the wait for a VIP to be there, when this process starts: routers
	// that keep what another run of it told them are told that nothing is left.
	patience = 5 * time.Second
	// vacating bounds the wait for the VIP to be off, at the end.
	vacating = 2 * time.Second
)

// Elector is a controlplane.Elector that seats this node whatever others do.
type Elector struct {
	routers Routers
	log     *slog.Logger
	wake    chan struct{}

	mu sync.Mutex
	// there are the VIPs that are on this node.
	there []netip.Addr
}

var _ controlplane.Elector = (*Elector)(nil)

// New returns an Elector that tells routers of VIPs when run.
func New(routers Routers, log *slog.Logger) *Elector {
	return &Elector{routers: routers, log: log, wake: make(chan struct{}, 1)}
}

// SetThere says which VIPs this node takes connections for.
func (e *Elector) SetThere(vips []netip.Addr) {
	e.mu.Lock()
	e.there = slices.Clone(vips)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// standing is where the node stands; it is one goroutine's.
type standing struct {
	*Elector
	seat controlplane.Seat
	// known says that the API server was asked, ready what it said.
	known, ready bool
	// told is what routers were told last; silent until they were told anything.
	told   []netip.Addr
	silent bool
	// impatient: nothing that is not there yet is waited for.
	impatient bool
}

// Run implements controlplane.Elector.
func (e *Elector) Run(ctx context.Context, ready <-chan bool, seat controlplane.Seat) error {
	s := &standing{Elector: e, seat: seat, silent: true}
	renew := time.NewTicker(renewal)
	defer renew.Stop()
	release := time.NewTimer(0)
	<-release.C
	defer release.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			s.leave(context.WithoutCancel(ctx))
			return nil
		case s.ready = <-ready:
			s.known = true
			if s.ready {
				release.Stop()
				s.hold()
			} else {
				release.Reset(Linger)
			}
		case <-renew.C:
			if s.ready {
				s.hold()
			}
		case <-release.C:
			seat.Release()
		case <-late.C:
			s.impatient = true
		case <-e.wake:
		}
		s.tell()
	}
}

// hold has the VIP here, for as long as this process says so and some time longer.
func (s *standing) hold() {
	now, err := announcer.Now()
	if err != nil {
		s.log.Error("the VIP cannot be held", "error", err)
		return
	}
	s.seat.Hold(controlplane.Term{Until: now.Add(abandoned)})
}

// tell tells routers of what is there, if they may come.
func (s *standing) tell() {
	var vips []netip.Addr
	if s.ready {
		s.mu.Lock()
		vips = s.there
		s.mu.Unlock()
	}
	switch {
	case !s.known:
	case s.silent && s.ready && len(vips) == 0 && !s.impatient:
	case s.silent || !slices.Equal(vips, s.told):
		s.log.Info("VIPs that routers are told of", "vips", vips)
		s.told, s.silent = vips, false
		s.routers.Advertise(vips)
	}
}

// leave ends it in order: who tells the routers withdraws at the same time.
func (s *standing) leave(ctx context.Context) {
	if len(s.told) > 0 {
		s.routers.Advertise(nil)
		timer := time.NewTimer(Linger)
		defer timer.Stop()
		<-timer.C
	}
	s.seat.Release()
	ctx, stop := context.WithTimeout(ctx, vacating)
	defer stop()
	if err := s.seat.Vacant(ctx); err != nil {
		s.log.Warn("the VIP is not off yet", "error", err)
	}
}
