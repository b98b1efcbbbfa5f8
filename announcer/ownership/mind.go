package ownership

import (
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
)

// mind decides what this node answers for. It has no clock: it is told what
// happens and when, and what follows is taken from it.
type mind struct {
	self     election.ID
	election *election.Election
	// listen returns for how long others are listened to, in a cluster of so
	// many nodes, before anything is claimed.
	listen func(nodes int) time.Duration

	places  *places
	records map[netip.Addr]*record
	peers   map[election.ID]peer
	// departed are the nodes that are gone, for a while.
	departed map[string]departure

	// informed: an agent said which addresses there are. facts are what it knows
	// beyond, told says that it did.
	informed, told bool
	facts          announcer.Facts
	// cluster: it is known which one this is. Nobody is talked to before.
	cluster bool

	standing, leaving bool
	// alone: no peer is heard, though there are others. isolated: and so is no
	// API server.
	alone, isolated bool

	interfaces []link.Interface
	// unplaced: other interfaces may be named than when interfaces was looked at.
	unplaced bool

	counts  counts
	untold  []*record
	beacon  membership.Beacon
	effects effects
}

// peer is another announcer that is alive.
type peer struct {
	membership.Peer
	// met: the digest of its claims was heard.
	met bool
}

// effects are what is to be done.
type effects struct {
	puts           []announcer.Announcement
	deletes, again []netip.Addr
	// beacon is nil if it is as before.
	beacon   *membership.Beacon
	messages []election.Outgoing
	// links are those to talk to others on, nil if they are as before.
	links []link.Interface
	// facts are nil if they are as before.
	facts    *announcer.Facts
	statuses []announcer.Status
	// failovers are how many of puts are from whom that is gone.
	failovers map[departure]int
	// view: the view of the others has changed.
	view bool
}

func newMind(self election.ID, timing election.Timing, listen func(nodes int) time.Duration) *mind {
	return &mind{
		self: self, election: election.New(self, timing), listen: listen,
		places:   newPlaces(),
		records:  make(map[netip.Addr]*record),
		peers:    make(map[election.ID]peer),
		departed: make(map[string]departure),
	}
}

// renumber says by which incarnation others know this node.
func (m *mind) renumber(now time.Time, incarnation uint64) {
	m.self.Incarnation = incarnation
	m.election.Renumber(now, incarnation)
}

func (m *mind) listening() time.Duration { return m.listen(m.facts.Nodes) }

// setFacts takes in what the agent knows beyond single addresses.
func (m *mind) setFacts(now time.Time, f announcer.Facts) {
	before, first := m.facts, !m.told
	m.facts, m.told = f, true
	m.effects.facts = &f
	m.setListening(now, m.places.open) // which does not matter to the only node
	if !m.cluster {
		m.cluster = true
		m.listenAnew(now)
	}
	if f.Excluded != before.Excluded {
		m.placeAll(now)
	}
	if !first && f.Rebalance != before.Rebalance && f.Rebalance != "" {
		m.election.Rebalance(now)
	}
}

// setListening says on which interfaces others could be heard.
func (m *mind) setListening(now time.Time, interfaces []int) {
	if m.places.setOpen(interfaces, m.facts.Nodes == 1, now.Add(m.listening())) {
		m.placeAll(now)
	}
}

// setInterfaces says what the interfaces are.
func (m *mind) setInterfaces(now time.Time, interfaces []link.Interface) {
	m.interfaces, m.unplaced = interfaces, false
	if m.places.set(interfaces) {
		m.placeAll(now)
	}
}

// setBroken says that a port is broken, or no longer.
func (m *mind) setBroken(now time.Time, p l2.Port, broken bool) {
	if broken {
		m.places.broken[p] = true
	} else {
		delete(m.places.broken, p)
	}
	m.placeAll(now)
}

// joined says that a peer is alive, or that what it says has changed.
func (m *mind) joined(now time.Time, p membership.Peer) {
	m.peers[p.ID] = peer{Peer: p, met: m.peers[p.ID].met}
	m.join(now, p)
	m.effects.view = true
}

func (m *mind) join(now time.Time, p membership.Peer) {
	m.election.Join(now, election.Member{
		ID: p.ID, Segments: m.places.segments(p.Interfaces), Prefixes: p.Prefixes, Standing: p.Standing,
	})
}

// heard takes in the digest of a peer's claims. One that is new here, and is not
// a new run, may have claimed what this node has, and have told the neighbours. It
// may have given that up before it was heard: then nobody else tells them.
func (m *mind) heard(now time.Time, id election.ID, d election.Digest) {
	p, ok := m.peers[id]
	if !ok {
		return
	}
	if !p.met {
		p.met = true
		m.peers[id] = p
		if d.Version > 0 {
			m.again()
		}
	}
	m.election.Heard(now, id, d)
}

// again has the neighbours told once more of all that is announced here.
func (m *mind) again() {
	for addr, r := range m.records {
		if r.own {
			m.effects.again = append(m.effects.again, addr)
		}
	}
}

// leave asks for successors, to end.
func (m *mind) leave(now time.Time) {
	m.leaving = true
	m.election.Leave(now)
}

// left reports whether nothing is left to be handed over.
func (m *mind) left() bool { return m.leaving && m.election.Left() }

// next returns when there is something to do; ok is false if nothing is planned.
func (m *mind) next(now time.Time) (at time.Time, ok bool) {
	at, ok = m.election.Next(now)
	if until, listening := m.places.next(); listening && (!ok || until.Before(at)) {
		return until, true
	}
	return at, ok
}

// advance does what is due, and what follows from all that was told before.
func (m *mind) advance(now time.Time) {
	if m.unplaced {
		m.setInterfaces(now, m.interfaces)
	}
	if m.places.advance(now) {
		m.placeAll(now)
	}
	m.rejoin(now)
	m.stand(now)
	m.election.Advance(now)
	m.rejoin(now) // Ended isolation may have changed the places.
	m.settle(now)
}

// rejoin tells of the peers anew when other interfaces take part.
func (m *mind) rejoin(now time.Time) {
	if !m.places.changed || !m.cluster {
		return
	}
	m.places.changed = false
	m.effects.links = m.places.links()
	for _, p := range m.peers {
		m.join(now, p.Peer)
	}
}

// settle takes in what the election decided.
func (m *mind) settle(now time.Time) {
	decided := m.election.Take()
	m.untold = slices.Grow(m.untold, len(decided.Changes))
	m.effects.puts = slices.Grow(m.effects.puts, len(decided.Changes))
	for _, c := range decided.Changes {
		m.change(now, c)
	}
	m.effects.statuses = slices.Grow(m.effects.statuses, len(m.untold))
	for _, r := range m.untold {
		m.tell(now, r)
	}
	m.untold = nil
	m.counts.ties += uint64(len(decided.Again))
	m.effects.again = append(m.effects.again, decided.Again...)
	m.effects.messages = append(m.effects.messages, decided.Messages...)
	is := membership.Beacon{Standing: m.standing, Leaving: m.leaving, Digest: m.election.Digest()}
	if is != m.beacon {
		m.beacon, m.effects.beacon = is, &is
	}
}

// take returns what is to be done since the last call.
func (m *mind) take() effects {
	taken := m.effects
	m.effects = effects{}
	return taken
}
