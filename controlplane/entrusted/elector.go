package entrusted

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/nodesocket"
)

// Reporter takes what the elector's process is to be told. It does not block.
type Reporter interface {
	Report(announcer.Status)
}

// Elector is the announcer's side: a controlplane.Elector that does what another
// process says, and a nodesocket.Sink that is told.
type Elector struct {
	// Stay has the seat stay taken, when Run ends, until the other process says that it
	// is to be free, if it is there to say so. It may be set before Run.
	Stay bool

	reporter Reporter
	log      *slog.Logger
	wake     chan struct{}

	mu sync.Mutex
	// said is the newest word, nil if the seat is to be free.
	said *announcer.Candidacy
	// there: the other process is connected.
	there bool
	// held are the VIPs that Held was told last.
	held []netip.Addr
}

var (
	_ controlplane.Elector = (*Elector)(nil)
	_ nodesocket.Sink      = (*Elector)(nil)
)

// NewElector returns an Elector that fills a seat when run.
func NewElector(reporter Reporter, log *slog.Logger) *Elector {
	return &Elector{reporter: reporter, log: log, wake: make(chan struct{}, 1)}
}

// Put implements nodesocket.Sink.
func (e *Elector) Put(c announcer.Candidacy) {
	if c.Address == key() {
		e.say(&c)
		return
	}
	e.log.Warn("told of an address that is no VIP's seat: is this the socket of the Services' announcer?", "address", c.Address)
}

// Delete implements nodesocket.Sink.
func (e *Elector) Delete(addr netip.Addr) {
	if addr == key() {
		e.say(nil)
	}
}

// Replace implements nodesocket.Sink. What another run of the elector said ends here.
func (e *Elector) Replace(all []announcer.Candidacy) {
	e.mu.Lock()
	e.there = true
	e.mu.Unlock()
	// In one word, lest who sat there before gets up meanwhile.
	if at := slices.IndexFunc(all, func(c announcer.Candidacy) bool { return c.Address == key() }); at >= 0 {
		e.say(&all[at])
	} else {
		e.say(nil)
	}
	for _, c := range all {
		if c.Address != key() {
			e.Put(c)
		}
	}
}

// Facts implements nodesocket.Sink.
func (e *Elector) Facts(announcer.Facts) {}

// Gone is to be called when the other process is: what it said last counts on.
func (e *Elector) Gone() {
	e.mu.Lock()
	e.there = false
	e.mu.Unlock()
	e.signal()
}

func (e *Elector) say(c *announcer.Candidacy) {
	e.mu.Lock()
	e.said = c
	e.mu.Unlock()
	e.signal()
}

func (e *Elector) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// leaveBound is how long the end may wait for the VIP to be off, and for the other
// process to hear of it.
const leaveBound = 3 * time.Second

// Run implements controlplane.Elector. Who stands is decided by the other process, which
// looks at the API server itself.
func (e *Elector) Run(ctx context.Context, ready <-chan bool, seat controlplane.Seat) error {
	for {
		select {
		case <-ctx.Done():
			leaving, stop := context.WithTimeout(context.WithoutCancel(ctx), leaveBound)
			defer stop()
			e.leave(leaving, seat)
			return nil
		case <-ready:
		case <-e.wake:
			e.follow(ctx, seat)
		}
	}
}

// leave frees the seat and, if it was taken, stays to answer: the other process ends
// with this one, or stands down, but in its own time, and nobody else is elected before
// it has asked whether the VIP is off.
func (e *Elector) leave(ctx context.Context, seat controlplane.Seat) {
	said, _ := e.heard()
	e.Place(netip.Addr{}, "")
	if !e.Stay {
		seat.Release()
		e.vacate(ctx, seat)
	}
	if said == nil {
		return
	}
	if e.Stay {
		defer seat.Release()
		e.signal() // It may be gone already.
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		}
		switch said, there := e.heard(); {
		case !there:
			return
		case said == nil:
			seat.Release()
			e.vacate(ctx, seat)
			if e.Stay {
				return
			}
		}
	}
}

// heard returns the newest word, and whether who said it is there.
func (e *Elector) heard() (said *announcer.Candidacy, there bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.said, e.there
}

// follow does what was said last.
func (e *Elector) follow(ctx context.Context, seat controlplane.Seat) {
	if said, _ := e.heard(); said != nil {
		seat.Hold(controlplane.Term{Until: said.Until, Probe: said.Probe})
		e.report(announcer.Announced)
		return
	}
	seat.Release()
	waiting, stop := context.WithTimeout(ctx, leaveBound)
	defer stop()
	e.vacate(waiting, seat)
}

// vacate tells the other process when the VIP is off: another node may have it then.
func (e *Elector) vacate(ctx context.Context, seat controlplane.Seat) {
	if err := seat.Vacant(ctx); err != nil {
		e.log.Warn("the VIP is not off yet", "error", err)
		return
	}
	e.report(announcer.Withdrawn)
}

// Place says on which interface the VIPs belong: without one, this node is not to be
// elected.
func (e *Elector) Place(_ netip.Addr, on string) {
	s := announcer.Status{Address: place(), State: announcer.Standby, Since: time.Now()}
	if on == "" {
		s.State = announcer.OffLink
	}
	e.reporter.Report(s)
}

// Held tells which VIPs this node takes connections for, each by its address.
func (e *Elector) Held(vips []netip.Addr) {
	e.mu.Lock()
	before := e.held
	e.held = slices.Clone(vips)
	e.mu.Unlock()
	tell := func(all, but []netip.Addr, s announcer.State) {
		for _, vip := range all {
			if !slices.Contains(but, vip) {
				e.reporter.Report(announcer.Status{Address: vip, State: s, Since: time.Now()})
			}
		}
	}
	tell(before, vips, announcer.Withdrawn)
	tell(vips, before, announcer.Announced)
}

func (e *Elector) report(s announcer.State) {
	e.reporter.Report(announcer.Status{Address: key(), State: s, Since: time.Now()})
}
