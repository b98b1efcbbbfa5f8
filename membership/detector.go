package membership

import (
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership/wire"
)

// moment is a time on the monotonic clock, since some beginning.
type moment = time.Duration

// detector decides, from the heartbeats that came and the time, who is alive. It
// is pure: the thread tells it what it received before it asks for a judgement.
type detector struct {
	self election.ID
	// keyed: who speaks has the key.
	keyed bool

	members map[election.ID]*member
	names   map[string]*name
	// living are the members that are alive, in the order they came.
	living []*member
	// hold is when this node last found that it may have missed something. Nobody
	// is judged by a silence that began before.
	hold moment
	// ownComplained is when another was last complained of that has this node's name.
	ownComplained moment
	// sweep is when those who are dead for long are looked for again.
	sweep moment

	// What is for others to carry out, until it is taken.
	news       []*member
	probes     []probe
	complaints []complaint
	// risen: somebody is alive that was not. missed is when somebody fell silent last.
	risen  bool
	missed moment
}

// name is what is known of the nodes of one name: one, if all is well.
type name struct {
	highest uint64
	members []*member
	// refused and complained are when that was last done.
	refused, complained moment
}

// probe is a wish to ask if a process still listens.
type probe struct {
	link   int
	target netip.Addr
}

// complaint is two nodes that have one name.
type complaint struct {
	node          string
	source, other netip.Addr
	// own: the other is this node.
	own bool
}

const (
	// maxMembers bounds what strangers can make of the table of members.
	maxMembers = 1024
	// maxNews bounds what they can make of the news, if those are read late: of who
	// comes and goes meanwhile, each is told of.
	maxNews = 4 * maxMembers
	// remembered is how long a dead member is shown, and its sequence refused.
	remembered = time.Hour
	sweepPause = time.Minute
	// disorder is by how much a sequence may be behind on another interface.
	disorder = 64
	// refusePause and complainPause bound how often a name is answered, and
	// complained of.
	refusePause   = 10 * time.Millisecond
	complainPause = 10 * time.Second
)

func newDetector(self election.ID) *detector {
	return &detector{self: self, members: make(map[election.ID]*member), names: make(map[string]*name)}
}

// hearing is a heartbeat that was received. Its slices are not kept.
type hearing struct {
	at          moment
	link        int
	source      netip.Addr
	node        []byte
	incarnation uint64
	sequence    uint64
	interval    time.Duration
	multiplier  int
	standing    bool
	leaving     bool
	farewell    bool
	prefixes    []netip.Prefix
	digest      election.Digest
	// traffic counts for the port it came by.
	traffic *traffic
}

// hear takes in a heartbeat, or says why it does not.
func (d *detector) hear(h *hearing) drop {
	if string(h.node) == d.self.Node {
		if h.incarnation == d.self.Incarnation {
			return own
		}
		d.complainOwn(h)
	}
	n := d.names[string(h.node)]
	m := d.members[election.ID{Node: string(h.node), Incarnation: h.incarnation}]
	switch {
	case n != nil && h.incarnation < n.highest && (m == nil || !m.alive()):
		return drop(wire.Superseded)
	case m == nil && h.farewell:
		return taken
	case m == nil:
		if n, m = d.admit(h, n); m == nil {
			return drop(wire.Crowded)
		}
	}
	r := m.routeOn(h.link, h.source.Is4())
	if v := m.judgeRoute(r, h); v != taken {
		if v == otherSource {
			r.rival, r.rivalled = h.source, h.at
		}
		return v
	}
	if r == nil {
		r = m.addRoute(h)
	}
	d.accept(n, m, r, h)
	return taken
}

// complainOwn is for a heartbeat of another host in the name of this node. It is a
// member like others, for it has to be known what it claims.
func (d *detector) complainOwn(h *hearing) {
	if d.ownComplained == 0 || h.at-d.ownComplained >= complainPause {
		d.ownComplained = h.at
		d.complaints = append(d.complaints, complaint{node: d.self.Node, source: h.source, own: true})
	}
}

func (d *detector) complain(n *name, h *hearing, other netip.Addr) {
	if n.complained != 0 && h.at-n.complained < complainPause {
		return
	}
	n.complained = h.at
	d.complaints = append(d.complaints, complaint{node: string(h.node), source: h.source, other: other})
}

func (d *detector) nameOf(node string) *name {
	n := d.names[node]
	if n == nil {
		n = new(name)
		d.names[node] = n
	}
	return n
}

// admit makes a member of whoever sent h, if there is room.
func (d *detector) admit(h *hearing, n *name) (*name, *member) {
	if len(d.news) >= maxNews || len(d.members) >= maxMembers && !d.forgetOldest() {
		return n, nil
	}
	m := newMember(election.ID{Node: string(h.node), Incarnation: h.incarnation})
	n = d.nameOf(m.id.Node)
	n.highest = h.incarnation
	for _, o := range slices.Clone(n.members) {
		if o.alive() {
			// Its successor is here; it is dead unless it is heard again.
			o.superseded = h.at
		} else {
			d.forget(o)
		}
	}
	n.members = append(n.members, m)
	d.names[m.id.Node] = n // which was forgotten with the last before
	d.members[m.id] = m
	return n, m
}

// accept takes in a heartbeat that is in order.
func (d *detector) accept(n *name, m *member, r *route, h *hearing) {
	if h.at > m.superseded {
		m.superseded = 0
	}
	if other := n.rival(m, r, h); other.IsValid() {
		d.complain(n, h, other)
	}
	r.hear(h)
	m.changed = r.says(h) || m.changed
	if h.sequence >= m.sequence {
		m.hear(h)
	}
	switch {
	case h.farewell && m.alive():
		d.bury(m, announcer.Gone, Farewell, h.at)
	case h.farewell:
	case !m.alive():
		m.state, m.since, m.reason = announcer.Alive, h.at, ""
		m.changed, d.risen = true, true
		d.living = append(d.living, m)
	}
	if !h.farewell && !r.alive {
		r.alive, r.since, m.changed = true, h.at, true
		// It is asked now, while it lives, what it is worth if it refuses.
		d.probes = append(d.probes, probe{link: r.link, target: r.source})
	}
	if m.changed || m.stirred {
		d.tell(m)
	}
}

// rival is where another speaks in the name of a member that is heard, none if
// there is nobody.
func (n *name) rival(m *member, r *route, h *hearing) netip.Addr {
	if rival := r.rival; rival.IsValid() && h.at > r.rivalled {
		r.rival = netip.Addr{}
		if rival != h.source {
			return rival
		}
	}
	for _, o := range n.members {
		if o != m && o.alive() && o.superseded == 0 && len(o.routes) > 0 {
			return o.routes[0].source
		}
	}
	return netip.Addr{}
}

// claims says if a datagram with claims is to be passed on, and whose it is.
func (d *detector) claims(node []byte, incarnation, sequence uint64, source netip.Addr) (election.ID, drop) {
	m := d.members[election.ID{Node: string(node), Incarnation: incarnation}]
	switch {
	case string(node) == d.self.Node && incarnation == d.self.Incarnation:
		return election.ID{}, own
	case m == nil || !m.alive():
		return election.ID{}, unknown
	case !d.keyed && !m.speaksFrom(source):
		return election.ID{}, otherSource
	}
	return m.id, m.window.admit(sequence)
}

// refusal is what to answer to a heartbeat that is behind what is known of its
// sender's name; ok is false if it had an answer just now.
func (d *detector) refusal(h *hearing) (known election.ID, sequence uint64, ok bool) {
	n := d.names[string(h.node)]
	if n == nil || n.refused != 0 && h.at-n.refused < refusePause {
		return election.ID{}, 0, false
	}
	for _, m := range n.members {
		if m.id.Incarnation == n.highest {
			n.refused = h.at
			return m.id, m.sequence, true
		}
	}
	return election.ID{}, 0, false
}

// setLinks forgets what was heard on other interfaces than these.
func (d *detector) setLinks(now moment, links []int) {
	for _, m := range slices.Clone(d.living) {
		before := len(m.routes)
		m.routes = slices.DeleteFunc(m.routes, func(r *route) bool { return !slices.Contains(links, r.link) })
		if len(m.routes) == before {
			continue
		}
		m.changed = true
		if !m.reachable() {
			d.bury(m, announcer.Dead, Unlinked, now)
		}
		d.tell(m)
	}
}

// tell puts a member among the news, once.
func (d *detector) tell(m *member) {
	if !m.queued {
		m.queued = true
		d.news = append(d.news, m)
	}
}

// bury notes that a member is no longer alive.
func (d *detector) bury(m *member, state announcer.MemberState, why Reason, now moment) {
	m.state, m.reason, m.since, m.changed = state, why, now, true
	if why == Silent {
		d.missed = now
	}
	for _, r := range m.routes {
		if r.alive {
			r.alive, r.since = false, now
		}
	}
	d.living = slices.DeleteFunc(d.living, func(o *member) bool { return o == m })
	d.tell(m)
	if n := d.names[m.id.Node]; m.id.Incarnation < n.highest {
		d.forget(m)
	}
}

// forget drops a member that is not alive.
func (d *detector) forget(m *member) {
	m.forgotten, m.changed = true, true
	d.tell(m)
	delete(d.members, m.id)
	n := d.names[m.id.Node]
	n.members = slices.DeleteFunc(n.members, func(o *member) bool { return o == m })
	if len(n.members) == 0 {
		delete(d.names, m.id.Node)
	}
}

// forgetOldest makes room by forgetting the member that is dead for longest.
func (d *detector) forgetOldest() bool {
	var oldest *member
	for _, m := range d.members {
		if !m.alive() && (oldest == nil || m.since < oldest.since) {
			oldest = m
		}
	}
	if oldest != nil {
		d.forget(oldest)
	}
	return oldest != nil
}

// forgetOld forgets the members that are dead for long.
func (d *detector) forgetOld(now moment) {
	if now < d.sweep {
		return
	}
	d.sweep = now + sweepPause
	for _, m := range d.members {
		if !m.alive() && now-m.since > remembered {
			d.forget(m)
		}
	}
}
