package election

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestSimulation has fifty nodes share a thousand addresses on two segments,
// while nodes crash, leave and return, segments part, datagrams are lost, doubled
// and late, endpoints move and agents learn of it one after the other. Whenever
// that stops for a while, there has to be order. The same seed is the same run.
func TestSimulation(t *testing.T) {
	seeds := []uint64{1, 2}
	if seed := flag.Lookup("seed").Value.(flag.Getter).Get().(uint64); seed != 0 {
		seeds = []uint64{seed}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newSimulation(t, seed, 50, 1000)
			s.settled("at first")
			s.upset(3 * time.Second)
			s.partition()
			s.settled("parted")
			s.upset(2 * time.Second)
			s.calm()
			s.settled("in the end")
			s.nobodyPreempted()
		})
	}
}

type simulation struct {
	t      *testing.T
	c      *cluster
	random *rand.Rand
	addrs  []netip.Addr
	// What is true, which the agents learn with delay.
	unwanted map[netip.Addr]bool
	free     map[netip.Addr]bool // a node found no stranger on it
	hosts    map[netip.Addr][]string
	excluded map[string]bool
	side     map[Segments]map[string]bool // of a cut through a segment
}

func newSimulation(t *testing.T, seed uint64, nodes, addrs int) *simulation {
	s := &simulation{
		t: t, c: newCluster(seed), random: rand.New(rand.NewPCG(seed, 1)),
		unwanted: map[netip.Addr]bool{}, free: map[netip.Addr]bool{}, hosts: map[netip.Addr][]string{}, excluded: map[string]bool{},
		side: map[Segments]map[string]bool{},
	}
	s.c.interval = 100 * time.Millisecond
	s.c.observe = s.watch
	s.c.probed = func(_ *node, addr netip.Addr) { s.free[addr] = true }
	s.c.network.delay = 300 * time.Microsecond
	s.c.network.lateness = 300 * time.Millisecond
	s.c.network.cut = func(from, to *node, segment Segments) bool {
		return s.side[segment][from.name] != s.side[segment][to.name]
	}
	v4, v6 := netip.MustParseAddr("10.1.0.0"), netip.MustParseAddr("2001:db8::")
	for i := range addrs {
		if v4, v6 = v4.Next(), v6.Next(); i%4 == 0 {
			s.addrs = append(s.addrs, v6)
		} else {
			s.addrs = append(s.addrs, v4)
		}
	}
	for range addrs / 20 {
		s.c.strangers[s.addrs[s.random.IntN(addrs)]] = true
	}
	for i := range nodes {
		s.start(fmt.Sprintf("node-%d", i))
	}
	for range addrs / 5 {
		s.move()
	}
	return s
}

// segmentOf is where an address is on-link.
func segmentOf(addr netip.Addr) Segments { return 1 + Segments(addr.As16()[15]&1) }

// segmentsOf are those of a node: most nodes are on both.
func segmentsOf(name string) Segments {
	switch seed(name) >> 8 % 8 {
	case 0:
		return 1
	case 1:
		return 2
	}
	return 3
}

func (s *simulation) start(name string) {
	n := s.c.start(name, segmentsOf(name), on)
	s.exclude(n)
	n.act()
}

// tell is the agent's word on an address.
func (s *simulation) tell(n *node, addr netip.Addr) {
	if s.unwanted[addr] {
		n.Delete(n.clock(), addr)
		return
	}
	hosts, local := s.hosts[addr]
	n.Put(n.clock(), Candidate{
		Address: addr, Segments: segmentOf(addr) & n.serving, Hosts: hosts,
		Eligible: !s.excluded[n.name] && (!local || slices.Contains(hosts, n.name)),
		Probe:    true,
	})
}

// tellAll has all agents learn of an address, each in its time.
func (s *simulation) tellAll(addr netip.Addr) {
	for _, n := range s.c.nodes {
		s.c.after(s.lag(), func() {
			if n.up {
				s.tell(n, addr)
				n.act()
			}
		})
	}
}

func (s *simulation) lag() time.Duration {
	return time.Duration(s.random.Int64N(int64(300 * time.Millisecond)))
}

func (s *simulation) tellOf(n *node) {
	for _, addr := range s.addrs {
		s.tell(n, addr)
	}
}

func (s *simulation) exclude(n *node) {
	s.tellOf(n)
	n.standsAt = s.c.now.Add(3 * s.c.interval)
	if s.excluded[n.name] {
		n.stands, n.standsAt = false, s.c.now.Add(time.Hour)
		n.Stand(n.clock(), false)
	}
}

// move gives an address other hosts, few or all.
func (s *simulation) move() {
	addr := s.addrs[s.random.IntN(len(s.addrs))]
	delete(s.hosts, addr)
	if s.random.IntN(4) > 0 {
		for range 1 + s.random.IntN(4) {
			s.hosts[addr] = append(s.hosts[addr], s.someone().name)
		}
	}
	s.tellAll(addr)
}

func (s *simulation) someone() *node { return s.c.nodes[s.random.IntN(len(s.c.nodes))] }

// upset has all sorts of things happen.
func (s *simulation) upset(d time.Duration) {
	s.c.network.lost, s.c.network.doubled, s.c.network.late = 0.05, 0.1, 0.1
	for end := s.c.now.Add(d); s.c.now.Before(end); {
		s.happen(s.someone())
		s.c.run(time.Duration(s.random.Int64N(int64(50 * time.Millisecond))))
	}
	s.c.network.lost, s.c.network.doubled, s.c.network.late = 0, 0, 0
}

func (s *simulation) happen(n *node) {
	if !n.up {
		if s.random.IntN(2) == 0 {
			s.start(n.name)
		}
		return
	}
	switch s.random.IntN(13) {
	case 0, 1:
		n.crash()
	case 2:
		n.crash()
		s.start(n.name)
	case 3:
		n.stands, n.standsAt = false, s.c.now.Add(time.Hour)
		n.Leave(n.clock())
		n.act()
	case 4:
		s.excluded[n.name] = !s.excluded[n.name]
		s.exclude(n)
		n.act()
	case 5, 6:
		for range 20 {
			s.move()
		}
	case 7:
		addr := s.addrs[s.random.IntN(len(s.addrs))]
		s.unwanted[addr] = !s.unwanted[addr]
		s.tellAll(addr)
	case 8:
		s.cut(Segments(1 + s.random.IntN(2)))
	case 9:
		clear(s.side)
	case 10:
		n.Rebalance(n.clock())
		n.act()
	case 11:
		n.carrier(segmentsOf(n.name)&Segments(s.random.IntN(4)), func() { s.tellOf(n) })
	case 12:
		n.skew += time.Duration(s.random.IntN(7201)-3600) * time.Second
	}
}

// cut parts the nodes of a segment.
func (s *simulation) cut(segment Segments) {
	s.side[segment] = map[string]bool{}
	for _, n := range s.c.nodes {
		s.side[segment][n.name] = s.random.IntN(2) == 0
	}
}

func (s *simulation) partition() {
	s.calm()
	s.cut(1)
	s.cut(2)
}

func (s *simulation) calm() {
	clear(s.side)
	s.c.run(4 * s.c.interval)
}

// watch looks at each change: nobody claims what it knows to be claimed, and
// nobody gives up for nothing. No address is answered for that no node of ours ever
// found free: so none that a stranger uses.
func (s *simulation) watch(n *node, effects Effects) {
	for _, c := range effects.Changes {
		a, ok := n.addresses[c.Address]
		if !ok || !a.wanted {
			continue
		}
		leader, _ := a.leader()
		if c.Own && !c.Tentative && !s.free[c.Address] {
			s.t.Errorf("%v: %v answers for %s, and nobody probed", s.c.now.Sub(start), n, c.Address)
		}
		switch {
		case c.Own && leader != nil && leader.hold > yielding:
			s.t.Errorf("%v: %v took %s from %s", s.c.now.Sub(start), n, c.Address, leader.by.Node)
		case !c.Own && n.has(c.Address) && n.fit(a) && a.Segments != 0 && (leader == nil || leader.hold == yielding):
			s.t.Errorf("%v: %v gave %s up", s.c.now.Sub(start), n, c.Address)
		}
	}
}

// settled gives everybody the time there is, and looks for order.
func (s *simulation) settled(when string) {
	s.t.Helper()
	s.c.run(3 * time.Second)
	for _, addr := range s.addrs {
		for _, side := range []bool{false, true} {
			s.owned(when, addr, side)
		}
	}
	for _, n := range s.c.nodes {
		if n.up {
			s.converged(when, n)
			sound(s.t, n.Election)
		}
	}
}

// owned checks that an address has one owner on a side of its segment, if anybody
// there may own it, and that all there know.
func (s *simulation) owned(when string, addr netip.Addr, side bool) {
	s.t.Helper()
	segment := segmentOf(addr)
	var may, owners []string
	for _, n := range s.c.nodes {
		if !n.up || n.segments&segment == 0 || s.side[segment][n.name] != side {
			continue
		}
		if a := n.addresses[addr]; n.stands && a != nil && a.wanted && a.Eligible {
			may = append(may, n.name)
		}
		if n.has(addr) {
			owners = append(owners, n.name)
			if n.owns[addr] == s.c.strangers[addr] || n.owns[addr] != (n.addresses[addr].own == firm) {
				s.t.Errorf("%s: %v answers for %s: %v, held as %d", when, n, addr, n.owns[addr], n.addresses[addr].own)
			}
		}
	}
	if len(owners) != min(1, len(may)) || len(owners) == 1 && !slices.Contains(may, owners[0]) {
		s.t.Errorf("%s: %s is owned by %q, may be by %q", when, addr, owners, may)
		return
	}
	for _, n := range s.c.nodes {
		if !n.up || n.segments&segment == 0 || s.side[segment][n.name] != side || s.unwanted[addr] {
			continue
		}
		if got := n.addresses[addr].reported.owner; len(owners) == 0 && got != "" || len(owners) == 1 && got != owners[0] {
			s.t.Errorf("%s: %v has it that %s is owned by %q, not %q", when, n, addr, got, owners)
		}
	}
}

// converged checks that n knows of each member what that one claims.
func (s *simulation) converged(when string, n *node) {
	s.t.Helper()
	for _, m := range n.roll {
		other := s.c.node(m.Node)
		if !other.up || other.self.ID != m.ID {
			s.t.Errorf("%s: %v takes %v for alive", when, n, m.ID)
			continue
		}
		if !m.inSync() || m.have != other.Digest() {
			s.t.Errorf("%s: %v has %+v of %v, which has %+v", when, n, m.have, other, other.Digest())
		}
		for _, a := range m.claims {
			if theirs := other.addresses[a.Address]; theirs == nil || theirs.told != a.claimed(m) {
				s.t.Errorf("%s: %v is wrong on the claim of %v on %s", when, n, other, a.Address)
			}
		}
	}
}

// nobodyPreempted has all nodes return, over a network as it is: they take
// nothing back.
func (s *simulation) nobodyPreempted() {
	before := map[netip.Addr]string{}
	for _, n := range s.c.nodes {
		for addr := range n.owns {
			before[addr] = n.name
		}
	}
	s.c.network.lost, s.c.network.doubled, s.c.network.late = 0.01, 0.05, 0.05
	for _, n := range s.c.nodes {
		if !n.up {
			s.start(n.name)
		}
		s.excluded[n.name] = false
		s.exclude(n)
		n.act()
	}
	s.c.run(2 * time.Second)
	s.c.network.lost, s.c.network.doubled, s.c.network.late = 0, 0, 0
	s.settled("all are back")
	for addr, owner := range before {
		if now := s.c.owners(addr); !slices.Equal(now, []string{owner}) {
			s.t.Errorf("%s went from %s to %q", addr, owner, now)
		}
	}
}

// sound checks what an Election counts and sums up against what it holds.
func sound(t *testing.T, e *Election) {
	t.Helper()
	owned, unready, d := 0, 0, Digest{Version: e.digest.Version}
	for i, a := range e.all {
		if e.addresses[a.Address] != a || a.place != i {
			t.Errorf("%s: the record is lost", a.Address)
		}
		if a.own != nothing {
			owned++
		}
		if a.told != nothing {
			d.Count++
			d.Sum ^= fingerprint(a.Address, a.told)
		}
		if due := a.own == yielding || a.seeking && !a.queued; a.own != tentative && due != (a.slot >= 0) || a.slot >= 0 && e.agenda.all[a.slot] != a {
			t.Errorf("%s: own %v, seeking %v, queued %v, on the agenda: %d", a.Address, a.own, a.seeking, a.queued, a.slot)
		}
		for _, c := range a.claims {
			if e.members[c.by.ID] != c.by || c.by.claims[c.place] != a {
				t.Errorf("%s: the claim of %s is lost", a.Address, c.by.Node)
			}
		}
		if !a.wanted && len(a.claims) == 0 && a.own == nothing && !a.touched && !a.queued {
			t.Errorf("%s: is remembered for nothing", a.Address)
		}
	}
	for _, m := range e.roll {
		have := Digest{Version: m.have.Version}
		for _, a := range m.claims {
			have.Count++
			have.Sum ^= fingerprint(a.Address, a.claimed(m))
		}
		if have != m.have {
			t.Errorf("claims of %s: %+v, noted as %+v", m.Node, have, m.have)
		}
		if !m.ready {
			unready++
		}
	}
	if owned != e.owned || unready != e.unready || d != e.digest || len(e.addresses) != len(e.all) {
		t.Errorf("owned %d of %d, not ready %d of %d, digest %+v of %+v", e.owned, owned, e.unready, unready, e.digest, d)
	}
	if len(e.members) != len(e.roll) {
		t.Errorf("%d members, %d on the roll", len(e.members), len(e.roll))
	}
}
