package election

import "time"

// Stand says whether this node takes addresses. One that does not claims nothing
// new, and keeps what it has.
func (e *Election) Stand(now time.Time, standing bool) {
	e.clock.tick(now)
	if e.standing != standing {
		e.standing = standing
		e.settleAll(e.all)
	}
}

// Renumber says that others know this node by another incarnation than before. It
// matters to a tie with another node of its name.
func (e *Election) Renumber(now time.Time, incarnation uint64) {
	e.clock.tick(now)
	e.self.Incarnation = incarnation
	e.settleAll(e.all)
}

// Leave asks for successors for all that this node owns. It is not undone.
func (e *Election) Leave(now time.Time) {
	e.clock.tick(now)
	if !e.leaving {
		e.leaving = true
		e.settleAll(e.all)
	}
}

// Left says that this node, which leaves, owns nothing any more: each address has
// a successor, or the bound has passed.
func (e *Election) Left() bool { return e.leaving && e.owned == 0 }

// Withdraw gives all up at once, for a node that is cut off, and ends to Stand.
func (e *Election) Withdraw(now time.Time) {
	e.clock.tick(now)
	e.standing = false
	for _, a := range e.all {
		e.drop(a)
	}
	e.settleAll(e.all)
}

// Rebalance asks for a successor for each address on which another candidate
// weighs more. If there is none within the bound, the address is kept. A
// candidate whose claims are not known at present is left alone.
func (e *Election) Rebalance(now time.Time) {
	e.clock.tick(now)
	for _, a := range e.all {
		if a.own != firm || !e.fit(a) {
			continue
		}
		if best := e.best(a); best != e.self && best.inSync() {
			a.spreading = true
			e.yield(a)
			e.settle(a)
		}
	}
}
