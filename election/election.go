// Package election decides which node owns an address, by claims that the nodes
// tell each other of, ranked by the weights that they all come to. It is pure: it
// is told the time and what is heard, and returns what is to be said and done.
package election

import (
	"net/netip"
	"slices"
	"time"
)

// Segments is a set of interfaces of this node, a bit for each.
type Segments uint64

// Candidate is an address that has to have an owner, and what this node knows of
// who may be.
type Candidate struct {
	Address netip.Addr
	// Segments are those where the address is on-link here. Without any, this
	// node cannot own it.
	Segments Segments
	// Eligible says that this node may own the address. An owner that no longer
	// may hands it over.
	Eligible bool
	// Hosts are the nodes that may own it, as far as this one knows. Nil: every node.
	Hosts []string
	// Named says that its interface was named: whether it is on-link for a member
	// does not count.
	Named bool
	// Probe says that a stranger may use the address for all that is known, unless
	// claims tell more. It counts when the address is claimed.
	Probe bool
}

// Member is another node that is alive.
type Member struct {
	ID
	// Segments are the interfaces of ours that it is heard on.
	Segments Segments
	// Prefixes are on-link for it.
	Prefixes []netip.Prefix
	// Standing says that it takes addresses.
	Standing bool
}

// Timing is what an Election waits for.
type Timing struct {
	// Step is how much longer than the node before it in the ranking a node
	// waits before it claims an address that nobody does.
	Step time.Duration
	// Bound is the longest that an owner waits for its successor.
	Bound time.Duration
	// Sync is the longest that a node claims nothing because it does not know
	// yet what a member claims.
	Sync time.Duration
	// Listen is the longest that a node which starts listens to others before it
	// claims anything.
	Listen time.Duration
}

// DefaultTiming returns what suits heartbeats of 25 ms.
func DefaultTiming() Timing {
	return Timing{Step: 150 * time.Millisecond, Bound: time.Second, Sync: 500 * time.Millisecond, Listen: 250 * time.Millisecond}
}

// Election decides which addresses this node owns, together with those of the
// other nodes. It is a state machine without a clock: each method is told the
// time, and Take returns what is to be done. It is not safe for concurrent use.
//
// A claim is given up by its claimant only: whoever claims an address keeps it
// while it is alive and may own it. An address that nobody claims goes to the
// candidate that weighs most on it; if that one stays silent, to the next. A claim
// on an address that a stranger may use is tentative until that is found out: the
// others leave the address to the claimant, but who follows it finds out first too.
type Election struct {
	self   *member
	timing Timing
	clock  clock

	addresses map[netip.Addr]*address
	all       []*address // the same, to go through in an order that is not random
	members   map[ID]*member
	roll      []*member     // the same
	unready   int           // members whose claims are waited for
	awaiting  time.Duration // since when

	standing, leaving bool
	owned             int

	agenda  agenda
	waiting []*address // would be claimed now, but for the claims of new members
	touched []*address // since the last Take
	digest  Digest     // of the claims as last published
	out     []Outgoing
}

// New returns an Election for self. It claims nothing until told to Stand.
func New(self ID, timing Timing) *Election {
	return &Election{
		self:      newMember(Member{ID: self}),
		timing:    timing,
		addresses: make(map[netip.Addr]*address),
		members:   make(map[ID]*member),
	}
}

// Put adds or changes a candidate.
func (e *Election) Put(now time.Time, c Candidate) {
	e.clock.tick(now)
	if !c.Address.IsValid() {
		return
	}
	a := e.record(c.Address)
	if a.wanted && a.same(c) {
		a.Probe = c.Probe
		return
	}
	a.Candidate, a.wanted = c, true
	e.settle(a)
}

// Delete removes a candidate: it is given up at once.
func (e *Election) Delete(now time.Time, addr netip.Addr) {
	e.clock.tick(now)
	if a, ok := e.addresses[addr]; ok && a.wanted {
		a.Candidate, a.wanted = Candidate{Address: addr}, false
		e.settle(a)
	}
}

// Probed says that no stranger was found to use an address, and that this node
// answers for it: its claim is no longer tentative.
func (e *Election) Probed(now time.Time, addr netip.Addr) {
	e.clock.tick(now)
	if a, ok := e.addresses[addr]; ok && a.own == tentative && a.slot < 0 {
		// Those of a while are told at once: many are probed one after the other.
		e.agenda.set(a, e.clock.elapsed.Truncate(gather)+gather)
	}
}

// Join adds a member, or changes what is known of it.
func (e *Election) Join(now time.Time, is Member) {
	e.clock.tick(now)
	if is.ID == e.self.ID {
		return
	}
	m, ok := e.members[is.ID]
	if !ok {
		m = newMember(is)
		m.joined = e.clock.elapsed
		e.members[is.ID] = m
		e.roll = append(e.roll, m)
		e.await()
		return
	}
	was := m.Member
	if was.Segments == is.Segments && was.Standing == is.Standing && slices.Equal(was.Prefixes, is.Prefixes) {
		return
	}
	m.Member = is
	e.reconsider(m)
	if was.Segments != is.Segments {
		e.settleAll(m.claims)
	}
}

// Gone removes a member. Nobody claims any longer what only it claimed.
func (e *Election) Gone(now time.Time, id ID) {
	e.clock.tick(now)
	m, ok := e.members[id]
	if !ok {
		return
	}
	delete(e.members, id)
	e.roll = slices.DeleteFunc(e.roll, func(other *member) bool { return other == m })
	e.admit(m)
	e.open()
	e.reconsider(m)
	abandoned := m.claims
	m.claims = nil
	for _, a := range abandoned {
		e.relinquish(a, a.claimed(m))
		a.forget(m)
	}
	e.settleAll(abandoned)
}

// Heard takes note of the digest in a heartbeat of a member. It does nothing,
// and is quick, if the member's claims are known already.
func (e *Election) Heard(now time.Time, id ID, d Digest) {
	m, ok := e.members[id]
	if !ok || d == m.have && m.inSync() {
		return
	}
	e.clock.tick(now)
	e.hear(m, d)
}

// Receive takes note of what a member says. Who is not a member is not listened to.
func (e *Election) Receive(now time.Time, from ID, msg Message) {
	m, ok := e.members[from]
	if !ok {
		return
	}
	e.clock.tick(now)
	switch msg.Kind {
	case Update:
		e.update(m, msg)
	case List:
		e.list(m, msg)
	case Request:
		e.requested(m)
	}
}

// Digest sums up the claims that Take has returned so far, for the next heartbeat.
func (e *Election) Digest() Digest { return e.digest }
