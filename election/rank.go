package election

import "slices"

// fit says that this node may keep a.
func (e *Election) fit(a *address) bool { return a.Eligible && a.Segments != 0 && !e.leaving }

// stands says that this node may claim a.
func (e *Election) stands(a *address) bool {
	return a.wanted && e.standing && e.fit(a)
}

// candidate says that m may claim a, as far as this node knows.
func (a *address) candidate(m *member) bool {
	return m.Standing && m.Segments&a.Segments != 0 && a.claimed(m) != yielding &&
		(a.Hosts == nil || slices.Contains(a.Hosts, m.Node)) &&
		(a.Named || m.onLink(a))
}

func (m *member) onLink(a *address) bool {
	for _, p := range m.Prefixes {
		if p.Contains(a.Address) {
			return true
		}
	}
	return false
}

// rank returns how many candidates come before this node, and if any of them is
// known to have claims that have not come yet: this one may be among them. If it
// is enough to know whether there are any, only the first is counted.
func (e *Election) rank(a *address, first bool) (rank int, unsure bool) {
	own := weigh(e.self.seed, a.Address)
	owner, _ := a.leader() // one that hands over, if there is any
	for _, m := range e.roll {
		if !m.before(e.self, weigh(m.seed, a.Address), own) || !a.candidate(m) {
			continue
		}
		unsure = unsure || m.due != never && e.clock.elapsed < m.behind+e.timing.Sync
		if owner == nil && e.listens(m, a) {
			continue
		}
		rank++
		if first {
			break
		}
	}
	return rank, unsure
}

// listens says that m was new when a lost its owner: it may have to listen before it may
// claim anything. An address that nobody had can wait for it, for its share; so can one
// that is handed over, since it is answered for meanwhile.
func (e *Election) listens(m *member, a *address) bool {
	return a.evidence == ours && a.since < m.joined+e.timing.Listen
}

// best returns the first candidate, this node included.
func (e *Election) best(a *address) *member {
	best, most := e.self, weigh(e.self.seed, a.Address)
	for _, m := range e.roll {
		if w := weigh(m.seed, a.Address); m.before(best, w, most) && a.candidate(m) {
			best, most = m, w
		}
	}
	return best
}

// before says that m comes before other in a ranking, by their weights; as in
// Elect, by name where they are equal, and of two with one name the later run.
func (m *member) before(other *member, weight, others uint64) bool {
	switch {
	case weight != others:
		return weight > others
	case m.Node != other.Node:
		return m.Node < other.Node
	}
	return m.Incarnation > other.Incarnation
}

// outranks settles a tie over a.
func (m *member) outranks(other *member, a *address) bool {
	return m.before(other, weigh(m.seed, a.Address), weigh(other.seed, a.Address))
}

// leader returns the claim of the member that holds a best, of those that are
// heard, and how many they are.
func (a *address) leader() (*claim, int) {
	var leader *claim
	heard := 0
	for i := range a.claims {
		c := &a.claims[i]
		if !a.hears(c.by) {
			continue
		}
		heard++
		if leader == nil || c.hold > leader.hold || c.hold == leader.hold && c.by.outranks(leader.by, a) {
			leader = c
		}
	}
	return leader, heard
}
