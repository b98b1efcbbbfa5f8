// Package heartbeat elects the holder of the VIP by the heartbeats and claims that
// announcers settle the owners of Services' addresses by. It needs no API server,
// so it works before there is one.
package heartbeat

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/announcer/ownership"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
)

// Elector is a controlplane.Elector.
type Elector struct {
	members *membership.Membership
	owner   *ownership.Ownership
	wire    *wire
	changes <-chan []link.Interface
	log     *slog.Logger

	mu sync.Mutex
	// vip is what is claimed, invalid until it is known where; on is where, or was last.
	// placed: there is such a place.
	vip    netip.Addr
	on     string
	placed bool
	ready  bool
}

var _ controlplane.Elector = (*Elector)(nil)

// New returns an Elector that talks to the other nodes as o says, whose Cluster tells
// them from others, follows the interfaces by changes, and takes part when run.
func New(o membership.Options, changes <-chan []link.Interface, log *slog.Logger) *Elector {
	members := membership.New(o, log)
	seated := new(wire)
	owner := ownership.New(ownership.Options{
		Self:    members.ID(),
		Timing:  election.DefaultTiming(),
		Listen:  ownership.Listening(o.Interval),
		Cluster: o.Cluster,
		Peers:   o.Peers,
	}, seated, members, members, silent{}, log)
	return &Elector{members: members, owner: owner, wire: seated, changes: changes, log: log}
}

// leaveBound is how long a hand-over may take at the end. Elections give up before.
const leaveBound = 3 * time.Second

// Run implements controlplane.Elector. It returns early with the error of what it
// cannot go on without.
func (e *Elector) Run(ctx context.Context, ready <-chan bool, seat controlplane.Seat) error {
	e.wire.seat = seat
	e.begin()
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, serving := errgroup.WithContext(serving)
	group.Go(func() error { return e.members.Run(serving, e.owner) })
	group.Go(func() error { return e.owner.Run(serving, e.changes) })
	group.Go(func() error {
		defer end()
		e.follow(ctx, serving, ready)
		leaving, stop := context.WithTimeout(serving, leaveBound)
		defer stop()
		e.owner.Leave(leaving)
		seat.Release()
		if err := seat.Vacant(leaving); err != nil {
			e.log.Warn("the VIP is not off yet", "error", err)
		}
		e.members.Farewell()
		return nil
	})
	return group.Wait()
}

// follow has this node stand while it is ready, until ctx ends or serving does.
func (e *Elector) follow(ctx, serving context.Context, ready <-chan bool) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-serving.Done():
			return
		case is := <-ready:
			e.stand(is)
		}
	}
}

// Place says which address is claimed: of several of one seat, the first; the nodes
// of a cluster have to agree on it. The other nodes are on the interface of that name;
// without one, this node does not stand.
func (e *Elector) Place(vip netip.Addr, on string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.vip.IsValid() && e.vip != vip {
		e.owner.Delete(e.vip)
	}
	e.vip, e.placed = vip, on != ""
	if e.placed {
		e.on = on
	}
	e.put()
}

// stand says if this node may hold the VIP.
func (e *Elector) stand(ready bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ready = ready
	e.put()
}

// begin has the election know all candidates: the VIP, if its place is known.
func (e *Elector) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owner.Replace(nil)
	e.put()
}

// put stands for election, with e.mu held. A VIP that no node of ours is known to have
// had is probed for.
func (e *Elector) put() {
	if !e.vip.IsValid() || e.on == "" {
		return
	}
	e.owner.Put(announcer.Candidacy{
		Announcement: announcer.Announcement{Address: e.vip, Interface: e.on, Probe: true},
		Eligible:     e.ready && e.placed,
	})
}

// Report takes in how the announcement of the VIP fares.
func (e *Elector) Report(s announcer.Status) { e.owner.Report(s) }

// Broken says that nothing can be announced on a port of the interface.
func (e *Elector) Broken(p l2.Port, broken bool) { e.owner.Broken(p, broken) }

// Health returns an error if the elector does not run, or hangs.
func (e *Elector) Health() error { return e.owner.Health() }

// Samples returns all metrics.
func (e *Elector) Samples() []announcer.Sample {
	return append(e.owner.Samples(), e.members.Samples()...)
}

// Sources returns the addresses of another node on the interface of that index.
func (e *Elector) Sources(node string, index int) []netip.Addr { return e.members.Sources(node, index) }

// View returns how this node sees the others.
func (e *Elector) View() announcer.View { return e.owner.View() }

// wire fills the seat as the owner of the claimed address is to announce it.
type wire struct{ seat controlplane.Seat }

var _ announcer.Announcer = (*wire)(nil)

func (w *wire) Put(all ...announcer.Announcement) {
	for _, a := range all {
		w.seat.Hold(controlplane.Term{Probe: a.Probe, From: a.From})
	}
}

func (w *wire) Delete(...netip.Addr) { w.seat.Release() }

func (w *wire) Again(...netip.Addr) { w.seat.Renew() }

// silent is told what nobody asked for: who holds the VIP shows elsewhere.
type silent struct{}

func (silent) Report(announcer.Status) {}

func (silent) ViewChanged() {}
