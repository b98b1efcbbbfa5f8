package entrusted

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/nodesocket"
)

// Seat is the elector's side: a controlplane.Seat that the announcer behind a socket
// holds.
type Seat struct {
	// Keep has the announcer go on with what another run of this process said, until
	// this one has said something.
	Keep bool
	// Held, if not nil, is told which VIPs the announcer takes connections for, sorted,
	// at each change; View how it sees others, and nil when it is another announcer. They
	// must not block, and all three are set before Run.
	Held func([]netip.Addr)
	View func(*announcer.View)

	client *nodesocket.Client
	log    *slog.Logger

	mu sync.Mutex
	// until is when all ends that was said, whatever becomes of the announcer.
	until announcer.BootTime
	// held is the candidacy that stands, nil if none does.
	held *announcer.Candidacy
	// unanswered is when the seat was taken, or kept, and the announcer said nothing
	// since; zero if it did.
	unanswered time.Time
	// unplaced: the announcer said that no VIP belongs on any interface of the node.
	unplaced bool
	// taken are the VIPs that the announcer takes connections for.
	taken []netip.Addr
	// vacant is closed when the announcer said that the VIP is off, and none was to
	// have it meanwhile.
	vacant chan struct{}
}

var _ controlplane.Seat = (*Seat)(nil)

// NewSeat returns the seat of the announcer that listens on the Unix socket at path. It
// is reached while Run runs.
func NewSeat(path string, log *slog.Logger) *Seat {
	s := &Seat{log: log, vacant: make(chan struct{})}
	close(s.vacant)
	s.client = nodesocket.NewClient(path, (*observer)(s), log)
	return s
}

// Run talks to the announcer until ctx ends, then returns nil.
func (s *Seat) Run(ctx context.Context) error {
	if !s.Keep {
		s.client.Synced()
	}
	return s.client.Run(ctx)
}

// SetFacts tells the announcer of the API servers that the VIP leads to, and of routers
// that are to be watched. The error wraps nodesocket.ErrInvalid.
func (s *Seat) SetFacts(f announcer.Facts) error { return s.client.Facts(f) }

// Hold implements controlplane.Seat.
func (s *Seat) Hold(t controlplane.Term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := announcer.Candidacy{
		Announcement: announcer.Announcement{Address: key(), Probe: t.Probe},
		Eligible:     true, Until: t.Until,
	}
	if err := s.client.Put(c); err != nil {
		s.log.Error("the announcer cannot be told to hold the VIP", "error", err)
		return
	}
	s.client.Synced()
	s.held, s.until = &c, t.Until
	if s.unanswered.IsZero() {
		s.unanswered = time.Now()
	}
	select {
	case <-s.vacant:
		s.vacant = make(chan struct{})
	default:
	}
}

// Renew implements controlplane.Seat. Terms do not overlap: nobody else had the VIP.
func (s *Seat) Renew() {}

// Release implements controlplane.Seat.
func (s *Seat) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = nil
	s.client.Delete(key())
	s.client.Synced()
}

// Vacant implements controlplane.Seat. It returns at the latest when the term ends that
// was said last: the announcer's clock is this one.
func (s *Seat) Vacant(ctx context.Context) error {
	s.mu.Lock()
	vacant, until := s.vacant, s.until
	s.mu.Unlock()
	now, err := announcer.Now()
	if err != nil {
		return err
	}
	ended := make(<-chan time.Time)
	if until != 0 {
		ended = time.After(until.Sub(now))
	}
	select {
	case <-vacant:
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("the announcer did not say that the VIP is off: %w", ctx.Err())
	}
	return nil
}

// observer is what the announcer tells a Seat.
type observer Seat

var _ nodesocket.Observer = (*observer)(nil)

// Reset implements nodesocket.Observer.
func (o *observer) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unanswered = time.Time{}
	o.unplaced = false
	o.take(nil)
	if o.View != nil {
		o.View(nil)
	}
}

// take takes note of the VIPs that the announcer takes connections for, with o.mu held.
func (o *observer) take(vips []netip.Addr) {
	if o.Held != nil && !slices.Equal(vips, o.taken) {
		o.Held(slices.Clone(vips))
	}
	o.taken = vips
}

// Away implements nodesocket.Observer.
func (o *observer) Away() { o.log.Warn("no announcer: nobody on this node can hold the VIP") }

// Observe implements nodesocket.Observer.
func (o *observer) Observe(s announcer.Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unanswered = time.Time{}
	if s.Address == place() && o.unplaced != (s.State == announcer.OffLink) {
		o.unplaced = !o.unplaced
		o.log.Info("whether this node has an interface for the VIP", "has", !o.unplaced)
	}
	if s.Address != key() && s.Address != place() {
		vips := slices.DeleteFunc(slices.Clone(o.taken), func(vip netip.Addr) bool { return vip == s.Address })
		if s.State == announcer.Announced {
			vips = append(vips, s.Address)
		}
		slices.SortFunc(vips, netip.Addr.Compare)
		o.take(vips)
		return
	}
	if s.Address != key() || s.State != announcer.Withdrawn || o.held != nil {
		return
	}
	select {
	case <-o.vacant:
	default:
		close(o.vacant)
	}
}

// ObserveSamples implements nodesocket.Observer.
func (o *observer) ObserveSamples([]announcer.Sample) {}

// ObserveView implements nodesocket.Observer.
func (o *observer) ObserveView(v announcer.View) {
	if o.View != nil {
		o.View(&v)
	}
}
