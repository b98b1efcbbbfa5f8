// Package membership tells who of the cluster's announcers is alive, by the
// heartbeats that they send each other on the segments they announce on, and
// carries the messages of their elections. docs/heartbeat.md has the protocol.
//
// A thread of its own sends, receives and judges (thread.go): what it decides is
// in a pure detector (detector.go, judge.go). It talks with the rest of the
// process through rings and eventfds, so that it never waits for it. What it tells
// arrives at the desk (desk.go), the goroutine that calls the Observer.
package membership

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/realtime"
)

// Peer is another announcer that is alive.
type Peer struct {
	election.ID
	// Interfaces are those of this host that it is heard on, by index, sorted.
	Interfaces []int
	// Prefixes are on-link there, as it says.
	Prefixes []netip.Prefix
	// Standing says that it takes addresses, Leaving that it hands them over.
	Standing, Leaving bool
}

// Beacon is what a node says of itself in its heartbeats.
type Beacon struct {
	Standing, Leaving bool
	Digest            election.Digest
}

// Observer is told what becomes of the others, by one goroutine, in order.
type Observer interface { //nolint:interfacebloat // the words of one conversation
	// Joined says that a peer is alive, or that what it says changed.
	Joined(Peer)
	// Gone says that a peer is no longer alive, why, and when it was heard last.
	Gone(election.ID, Reason, time.Time)
	// Heard says that a peer that is alive has other claims than before, and is
	// called after it joined. Digests in between are not told.
	Heard(election.ID, election.Digest)
	// Received brings a message from a peer that is alive. It may be kept.
	Received(election.ID, election.Message)
	// Renumbered says that this node has another incarnation than before: others
	// know it by that from now on.
	Renumbered(incarnation uint64)
	// Listening says on which interfaces others could be heard from now on, by
	// index, sorted. On those that it does not name this node is deaf, and silent.
	Listening(interfaces []int)
}

// Membership takes part in the cluster's membership.
type Membership struct {
	options Options
	log     *slog.Logger
	begin   time.Time
	counts  counters
	thread  *thread
	// open opens a socket; tests do so elsewhere.
	open func(socketOf) (int, error)
	// keyed says that there are keys; keysChanged that they are to be read again.
	keyed, keysChanged atomic.Bool

	mu      sync.Mutex
	running bool
	wanted  wanted
	// stale: the thread's orders are not those that are wanted.
	stale  bool
	outbox outbox
	roster roster
}

// wanted is what the setters were told.
type wanted struct {
	interfaces []link.Interface
	cluster    string
	peers      []netip.Addr
}

// New returns a Membership that does nothing until it is run.
func New(options Options, log *slog.Logger) *Membership {
	options.setDefaults()
	m := &Membership{options: options, log: log, begin: time.Now(), open: openSocket, stale: true}
	m.thread = newThread(options, m.begin, &m.counts)
	m.wanted = wanted{cluster: options.Cluster, peers: options.Peers}
	m.outbox.limiter = rate.NewLimiter(rate.Every(burstPause/burst), burst)
	m.roster = newRoster(m.begin)
	return m
}

// ID is what others know this node by. Its incarnation is a higher one when they
// know of one that is higher than it began with.
func (m *Membership) ID() election.ID {
	return election.ID{Node: m.options.Node, Incarnation: m.thread.incarnation.Load()}
}

// SetInterfaces says where to send heartbeats. Members that were heard elsewhere
// alone are gone at once.
func (m *Membership) SetInterfaces(all []link.Interface) {
	m.want(func(w *wanted) { w.interfaces = slices.Clone(all) })
}

// SetCluster says which cluster this is. Nodes of others are not heard.
func (m *Membership) SetCluster(name string) {
	m.want(func(w *wanted) { w.cluster = name })
}

// SetPeers says where the others are, for heartbeats by unicast.
func (m *Membership) SetPeers(peers []netip.Addr) {
	m.want(func(w *wanted) { w.peers = slices.Clone(peers) })
}

func (m *Membership) want(change func(*wanted)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.wanted)
	m.stale = true
	m.wakeDesk()
}

// Beat says what the next heartbeats say. If it is other than before, the next one
// is sent at once.
func (m *Membership) Beat(b Beacon) {
	m.thread.beacon.Store(&b)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wakeThread()
}

// Farewell says that this node is gone, and nothing after it. It returns when that
// is sent, or cannot be.
func (m *Membership) Farewell() {
	m.thread.farewell.Store(true)
	m.mu.Lock()
	running := m.running
	m.wakeThread()
	m.mu.Unlock()
	if !running {
		return
	}
	select {
	case <-m.thread.parted:
	case <-m.thread.done:
	}
}

// wakeThread and wakeDesk are called with m.mu held: the eventfds are open while
// m is running.
func (m *Membership) wakeThread() {
	if m.running {
		realtime.Signal(m.thread.wake)
	}
}

func (m *Membership) wakeDesk() {
	if m.running {
		realtime.Signal(m.thread.told)
	}
}

func (m *Membership) wakeDeskLocked() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wakeDesk()
}

// Run takes part until ctx ends, then returns nil. It says no farewell of its own.
// It can be called once.
func (m *Membership) Run(ctx context.Context, observer Observer) (err error) {
	if err := m.options.check(); err != nil {
		return err
	}
	d := &desk{Membership: m, observer: observer, shown: make(map[election.ID]bool), incarnation: m.options.Incarnation}
	if err := d.readKeys(); err != nil {
		return err
	}
	if err := d.openEvents(); err != nil {
		return err
	}
	m.mu.Lock()
	m.running = true
	m.mu.Unlock()
	defer func() { err = errors.Join(err, d.close()) }()
	go func() {
		m.thread.failed = m.thread.run()
		close(m.thread.done)
		m.wakeDeskLocked()
	}()
	stop := context.AfterFunc(ctx, m.wakeDeskLocked)
	defer stop()
	watch, err := d.watchKeys()
	if err != nil {
		return err
	}
	defer watch()
	return d.run(ctx)
}
