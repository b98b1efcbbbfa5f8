package election

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// cluster is some nodes, the segments between them, and a membership that is no
// more than heartbeats and silence. All that happens is on one queue.
type cluster struct {
	now      time.Time
	nodes    []*node // by name
	queue    deliveries
	sent     int
	interval time.Duration
	random   *rand.Rand
	network  network
	observe  func(*node, Effects)
	probed   func(*node, netip.Addr) // nobody else has it
	// strangers use these addresses.
	strangers map[netip.Addr]bool
}

// probing is how long it takes to find out if a stranger uses an address.
const probing = 40 * time.Millisecond

// network is what becomes of datagrams.
type network struct {
	lost, doubled, late float64 // probabilities
	delay               time.Duration
	lateness            time.Duration // at most
	cut                 func(from, to *node, segment Segments) bool
}

// node is one run after another of one announcer.
type node struct {
	*Election
	cluster  *cluster
	name     string
	runs     uint64
	segments Segments
	serving  Segments // where it has listened for long enough
	prefixes []netip.Prefix
	up       bool
	stands   bool
	standsAt time.Time
	beatAt   time.Time
	wakeAt   time.Time
	skew     time.Duration // of its clock
	heard    map[ID]*sighting
	owns     map[netip.Addr]bool // false: it does not answer yet
}

// sighting is when a member was last heard, by segment.
type sighting struct {
	last   [3]time.Time // by segment
	member Member
	said   Segments // alive on
	stands bool
	alive  bool
}

// delivery is a datagram on its way: a message, or else a heartbeat.
type delivery struct {
	at      time.Time
	order   int
	to      *node
	run     uint64
	from    Member
	segment Segments
	digest  Digest
	message Message
	gone    bool
	call    func() // in place of a datagram
}

type deliveries []*delivery

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	if d[i].at.Equal(d[j].at) {
		return d[i].order < d[j].order
	}
	return d[i].at.Before(d[j].at)
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(*delivery)) }
func (d *deliveries) Pop() any {
	old := *d
	x := old[len(old)-1]
	*d = old[:len(old)-1]
	return x
}

func newCluster(seed uint64) *cluster {
	return &cluster{
		now: start, interval: 25 * time.Millisecond, random: rand.New(rand.NewPCG(seed, 0)),
		network: network{delay: time.Millisecond}, observe: func(*node, Effects) {}, probed: func(*node, netip.Addr) {},
		strangers: map[netip.Addr]bool{},
	}
}

func (c *cluster) node(name string) *node {
	i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.name == name })
	if i < 0 {
		panic("no node " + name)
	}
	return c.nodes[i]
}

// start makes a node run, or run anew. It listens for three intervals.
func (c *cluster) start(name string, segments Segments, prefixes []netip.Prefix) *node {
	i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.name == name })
	if i < 0 {
		c.nodes = append(c.nodes, &node{cluster: c, name: name, owns: map[netip.Addr]bool{}})
		i = len(c.nodes) - 1
	}
	n := c.nodes[i]
	n.runs++
	n.segments, n.serving, n.prefixes = segments, segments, prefixes
	n.Election = New(ID{Node: name, Incarnation: n.runs}, DefaultTiming())
	n.up, n.stands, n.heard = true, false, map[ID]*sighting{}
	clear(n.owns)
	n.beatAt = c.now.Add(c.interval * time.Duration(i%10) / 10)
	n.standsAt = n.beatAt.Add(3 * c.interval)
	n.wakeAt = n.beatAt
	return n
}

func (n *node) crash() {
	n.up = false
	clear(n.owns)
}

// carrier gives a node other segments. What it loses it tells its Election of
// at once, what it gains when it has listened there.
func (n *node) carrier(segments Segments, tell func()) {
	said, run := n.segments&segments, n.runs
	n.segments, n.serving = segments, said
	tell()
	n.act()
	n.cluster.after(3*n.cluster.interval, func() {
		if n.up && n.runs == run && n.segments == segments {
			n.serving = segments
			tell()
			n.act()
		}
	})
}

// clock is the time as the node has it.
func (n *node) clock() time.Time { return n.cluster.now.Add(n.skew) }

// is tells what a node's heartbeats say of it.
func (n *node) is() Member {
	return Member{ID: n.self.ID, Prefixes: n.prefixes, Standing: n.stands}
}

// run lets time pass.
func (c *cluster) run(d time.Duration) {
	end := c.now.Add(d)
	for {
		at, n := end, (*node)(nil)
		for _, other := range c.nodes {
			if other.up && other.wakeAt.Before(at) {
				at, n = other.wakeAt, other
			}
		}
		if len(c.queue) > 0 && !c.queue[0].at.After(at) {
			next := heap.Pop(&c.queue).(*delivery)
			c.now = maxTime(c.now, next.at)
			c.deliver(next)
			continue
		}
		c.now = maxTime(c.now, at)
		if n == nil {
			return
		}
		n.wake()
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (n *node) wake() {
	n.Advance(n.clock())
	if now := n.cluster.now; !n.beatAt.After(now) {
		n.beatAt = now.Add(n.cluster.interval)
		n.judge()
		if !n.stands && !n.leaving && !n.standsAt.After(now) {
			n.stands = true
			n.Stand(n.clock(), true)
		}
		n.act()
		n.send(Outgoing{}, false)
	}
	n.act()
}

// judge finds out who has been silent for too long.
func (n *node) judge() {
	for _, m := range slices.Clone(n.roll) {
		n.sight(n.heard[m.ID])
	}
}

func (n *node) sight(s *sighting) {
	is := s.member
	is.Segments = 0
	for segment, last := range s.last {
		if !last.IsZero() && n.cluster.now.Sub(last) <= 4*n.cluster.interval {
			is.Segments |= Segments(segment)
		}
	}
	switch {
	case s.alive && is.Segments == s.said && is.Standing == s.stands:
	case is.Segments != 0:
		n.Join(n.clock(), is)
		s.alive, s.said, s.stands = true, is.Segments, is.Standing
	case s.alive:
		s.alive = false
		n.Gone(n.clock(), is.ID)
	}
}

// act does what the Election wants.
func (n *node) act() {
	if !n.up {
		return
	}
	effects := n.Take()
	n.cluster.observe(n, effects)
	for _, c := range effects.Changes {
		delete(n.owns, c.Address)
		if c.Own {
			n.owns[c.Address] = !c.Tentative
		}
		if c.Own && c.Tentative {
			n.probe(c.Address)
		}
	}
	for _, out := range effects.Messages {
		n.send(out, false)
	}
	if n.Left() {
		n.send(Outgoing{}, true)
		n.crash()
		return
	}
	n.wakeAt = n.beatAt
	if at, ok := n.Next(n.clock()); ok && at.Add(-n.skew).Before(n.wakeAt) {
		n.wakeAt = at.Add(-n.skew)
	}
}

// probe finds out if a stranger uses an address, and tells the Election if none does.
func (n *node) probe(addr netip.Addr) {
	run := n.runs
	n.cluster.after(probing, func() {
		if !n.up || n.runs != run || !n.has(addr) || n.owns[addr] || n.cluster.strangers[addr] {
			return
		}
		n.owns[addr] = true
		n.Probed(n.clock(), addr)
		n.cluster.probed(n, addr)
		n.act()
	})
}

// leaves says that no stranger uses an address any more.
func (c *cluster) leaves(addr netip.Addr) {
	delete(c.strangers, addr)
	for _, n := range c.nodes {
		if n.has(addr) {
			n.probe(addr)
		}
	}
}

// send puts a datagram for each receiver on the queue; without a kind it is a heartbeat.
func (n *node) send(out Outgoing, gone bool) {
	c := n.cluster
	for _, to := range c.nodes {
		if to == n || !to.up || out.To != (ID{}) && out.To != to.self.ID {
			continue
		}
		for segment := Segments(1); segment <= n.segments&to.segments; segment <<= 1 {
			if n.segments&to.segments&segment == 0 || c.network.cut != nil && c.network.cut(n, to, segment) || c.chance(c.network.lost) {
				continue
			}
			d := delivery{to: to, run: to.runs, from: n.is(), segment: segment, digest: n.Digest(), message: out.Message, gone: gone}
			c.put(d)
			if c.chance(c.network.doubled) {
				c.put(d)
			}
			if out.To != (ID{}) {
				break
			}
		}
	}
}

// after calls do when so much time has passed.
func (c *cluster) after(d time.Duration, do func()) {
	c.sent++
	heap.Push(&c.queue, &delivery{at: c.now.Add(d), order: c.sent, call: do})
}

func (c *cluster) chance(p float64) bool { return p > 0 && c.random.Float64() < p }

func (c *cluster) put(d delivery) {
	c.sent++
	d.order, d.at = c.sent, c.now.Add(c.network.delay)
	if c.chance(c.network.late) {
		d.at = d.at.Add(time.Duration(c.random.Int64N(int64(c.network.lateness))))
	}
	heap.Push(&c.queue, &d)
}

func (c *cluster) deliver(d *delivery) {
	if d.call != nil {
		d.call()
		return
	}
	n := d.to
	if !n.up || n.runs != d.run {
		return
	}
	if n.seen(d) {
		switch {
		case d.gone:
			n.heard[d.from.ID].alive = false
			n.Gone(n.clock(), d.from.ID)
		case d.message.Kind != 0:
			n.Receive(n.clock(), d.from.ID, d.message)
		default:
			n.Heard(n.clock(), d.from.ID, d.digest)
		}
	}
	n.act()
}

// seen takes note of who was heard. What a former run of a node said late does
// not count: it is not a member any more.
func (n *node) seen(d *delivery) bool {
	s, ok := n.heard[d.from.ID]
	if !ok {
		for id := range n.heard {
			if id.Node == d.from.Node && id.Incarnation > d.from.Incarnation {
				return false
			}
		}
		for id, other := range n.heard {
			if id.Node == d.from.Node && other.alive {
				other.alive = false
				n.Gone(n.clock(), id)
			}
		}
		s = &sighting{}
		n.heard[d.from.ID] = s
	}
	if d.message.Kind == 0 && !d.gone {
		s.last[d.segment] = n.cluster.now
		s.member = d.from
		n.sight(s)
	}
	return s.alive
}

// owners returns the names of those who have addr, whether they answer or not.
func (c *cluster) owners(addr netip.Addr) []string {
	var names []string
	for _, n := range c.nodes {
		if n.up && n.has(addr) {
			names = append(names, n.name)
		}
	}
	return names
}

// has says that a node has an address, whether it answers or not.
func (n *node) has(addr netip.Addr) bool {
	_, has := n.owns[addr]
	return has
}

func (n *node) String() string { return fmt.Sprintf("%s (run %d)", n.name, n.runs) }
