package ownership

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
	"github.com/heraldlb/herald/nodesocket"
)

// Options are those of an Ownership.
type Options struct {
	// Self names this run of this node's announcer.
	Self   election.ID
	Timing election.Timing
	// Listen returns for how long others are listened to, in a cluster of so
	// many nodes, before anything is claimed.
	Listen func(nodes int) time.Duration
	// Cluster, if not empty, names the cluster whatever the agent says.
	Cluster string
	// Peers are told heartbeats by unicast, besides those the agent knows.
	Peers []netip.Addr
}

// Wire is what addresses are announced with.
type Wire = announcer.Announcer

// Voice speaks to the other announcers. It does not block.
type Voice interface {
	// Beat says what heartbeats are to say from now on.
	Beat(membership.Beacon)
	// Send says something to one, or with the zero ID to all.
	Send(to election.ID, m election.Message)
}

// Room is where the other announcers are. It calls Joined, Gone, Heard and
// Received of an Ownership.
type Room interface {
	SetInterfaces([]link.Interface)
	SetCluster(string)
	SetPeers([]netip.Addr)
	View() announcer.View
}

// Reporter takes what the agent is to be told. It does not block.
type Reporter interface {
	Report(announcer.Status)
	ViewChanged()
}

// Ownership has this node answer for the addresses that fall to it. Its methods
// are safe for concurrent use, and none but Run and Leave blocks.
type Ownership struct {
	options  Options
	wire     Wire
	voice    Voice
	room     Room
	reporter Reporter
	log      *slog.Logger

	inbox *inbox
	// pings are answered by the loop when it comes round.
	pings chan struct{}
	// left is closed when all is handed over.
	left     chan struct{}
	leftOnce sync.Once

	mu sync.Mutex
	// counts and beyond are what others may ask for.
	counts          counts
	failovers       histogram
	alone, isolated bool
}

var (
	_ l2.Reporter         = (*Ownership)(nil)
	_ nodesocket.Sink     = (*Ownership)(nil)
	_ membership.Observer = (*Ownership)(nil)
	_ Room                = (*membership.Membership)(nil)
	_ Voice               = (*membership.Membership)(nil)
)

// New returns an Ownership that decides when run.
func New(o Options, wire Wire, voice Voice, room Room, reporter Reporter, log *slog.Logger) *Ownership {
	return &Ownership{
		options: o, wire: wire, voice: voice, room: room, reporter: reporter, log: log,
		inbox: newInbox(),
		pings: make(chan struct{}),
		left:  make(chan struct{}),
	}
}

// Put implements nodesocket.Sink.
func (o *Ownership) Put(c announcer.Candidacy) { o.inbox.change(c.Address, &c) }

// Delete implements nodesocket.Sink.
func (o *Ownership) Delete(addr netip.Addr) { o.inbox.change(addr, nil) }

// Replace implements nodesocket.Sink.
func (o *Ownership) Replace(all []announcer.Candidacy) { o.inbox.replace(all) }

// Facts implements nodesocket.Sink.
func (o *Ownership) Facts(f announcer.Facts) {
	o.inbox.say(func(m *mind, now time.Time) { m.setFacts(now, f) })
}

// Report implements l2.Reporter.
func (o *Ownership) Report(s announcer.Status) { o.inbox.report(s) }

// Broken implements l2.Reporter.
func (o *Ownership) Broken(p l2.Port, broken bool) {
	o.inbox.say(func(m *mind, now time.Time) { m.setBroken(now, p, broken) })
}

// Leave asks for successors for all that this node owns, and returns when there
// are, when they were waited for long enough, or when ctx ends.
func (o *Ownership) Leave(ctx context.Context) {
	o.inbox.say(func(m *mind, now time.Time) { m.leave(now) })
	select {
	case <-o.left:
	case <-ctx.Done():
	}
}

// Run decides until ctx ends, then returns nil. Interfaces are told of by changes.
func (o *Ownership) Run(ctx context.Context, changes <-chan []link.Interface) error {
	m := newMind(o.options.Self, o.options.Timing, o.options.Listen)
	if o.options.Cluster != "" {
		m.cluster = true
		o.room.SetCluster(o.options.Cluster)
	}
	o.room.SetPeers(o.options.Peers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var interfaces []link.Interface
		select {
		case <-ctx.Done():
			return nil
		case interfaces = <-changes:
		case <-o.inbox.wake:
		case <-o.pings:
		case <-timer.C:
		}
		now := time.Now()
		if interfaces != nil {
			m.setInterfaces(now, interfaces)
		}
		m.read(now, o.inbox.take())
		m.advance(now)
		o.perform(m.take(), m)
		if at, ok := m.next(time.Now()); ok {
			timer.Reset(time.Until(at))
		}
	}
}

// perform does what the mind wants done: what clients wait for comes first, what
// other announcers wait for next. What was removed and put again is deleted first.
func (o *Ownership) perform(wanted effects, m *mind) {
	if len(wanted.deletes) > 0 {
		o.wire.Delete(wanted.deletes...)
	}
	if len(wanted.puts) > 0 {
		o.wire.Put(wanted.puts...)
	}
	if len(wanted.again) > 0 {
		o.wire.Again(wanted.again...)
	}
	done := time.Now()
	if wanted.facts != nil {
		o.setRoom(wanted.facts)
	}
	if wanted.links != nil {
		o.room.SetInterfaces(wanted.links)
	}
	if b := wanted.beacon; b != nil {
		o.voice.Beat(*b)
	}
	for _, out := range wanted.messages {
		o.voice.Send(out.To, out.Message)
	}
	o.note(m)
	o.measure(wanted.failovers, done)
	for _, s := range wanted.statuses {
		o.reporter.Report(s)
	}
	if wanted.view {
		o.reporter.ViewChanged()
	}
	if m.left() {
		o.leftOnce.Do(func() { close(o.left) })
	}
	if n := len(wanted.puts) + len(wanted.deletes) + len(wanted.again); n > 0 {
		o.log.Info("addresses change hands", "taken", len(wanted.puts), "given up", len(wanted.deletes), "told again", len(wanted.again))
	}
}

// setRoom tells where the others are, as far as the agent knows.
func (o *Ownership) setRoom(f *announcer.Facts) {
	if o.options.Cluster == "" {
		o.room.SetCluster(f.Cluster)
	}
	o.room.SetPeers(append(slices.Clip(f.Peers), o.options.Peers...))
}

// note keeps what others may ask for.
func (o *Ownership) note(m *mind) {
	o.mu.Lock()
	was := o.alone
	o.counts, o.alone, o.isolated = m.counts, m.alone, m.isolated
	o.mu.Unlock()
	switch {
	case m.alone == was:
	case m.alone:
		// The usual cause on a new cluster is a firewall, and then both sides answer.
		o.log.Warn("no other node is heard: if some live, their heartbeats do not get in here", "nodes", m.facts.Nodes)
	default:
		o.log.Info("other nodes are heard, or are not needed to be")
	}
}

// measure counts how long fail-overs took that are done.
func (o *Ownership) measure(failovers map[departure]int, done time.Time) {
	if len(failovers) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for from, count := range failovers {
		took := done.Sub(from.heard)
		o.failovers.observe(took, count)
		o.log.Info("addresses taken over", "from", from.id.Node, "reason", from.why, "count", count, "after", took)
	}
}

// healthy is how long the loop may take to come round.
const healthy = time.Second

// Health returns an error if the loop is not running, or hangs.
func (o *Ownership) Health() error {
	timeout := time.NewTimer(healthy)
	defer timeout.Stop()
	select {
	case o.pings <- struct{}{}:
		return nil
	case <-timeout.C:
		return fmt.Errorf("nothing was decided within %s", healthy)
	}
}

// Samples returns all metrics.
func (o *Ownership) Samples() []announcer.Sample {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append(o.counts.samples(), announcer.Sample{Metric: "herald_failover_duration_seconds", Histogram: o.failovers.sample()})
}

// View returns how this node sees the others, and what follows from it here.
func (o *Ownership) View() announcer.View {
	v := o.room.View()
	o.mu.Lock()
	defer o.mu.Unlock()
	v.Alone, v.Isolated = o.alone, o.isolated
	return v
}
