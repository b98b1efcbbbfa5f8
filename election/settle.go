package election

import (
	"slices"
	"time"
)

// settle decides anew on an address of which something has changed.
func (e *Election) settle(a *address) {
	e.touch(a)
	leader, rivals := a.leader()
	if a.own != nothing {
		e.keep(a, leader)
	}
	if a.own == nothing {
		e.seek(a, leader)
	}
	e.contest(a, rivals)
}

func (e *Election) settleAll(all []*address) {
	for _, a := range all {
		e.settle(a)
	}
}

// keep decides how an address is held on to, if it is.
func (e *Election) keep(a *address, leader *claim) {
	if !a.wanted || a.Segments == 0 {
		e.drop(a)
		return
	}
	if a.own == firm && !e.fit(a) {
		e.yield(a)
	}
	if a.spreading && leader != nil && leader.hold == yielding {
		e.confirm(a) // The other asks for a successor as well: here is one.
	}
	switch {
	case leader != nil && (leader.hold > a.own || leader.hold == a.own && leader.by.outranks(e.self, a)):
		e.drop(a)
	case a.own == yielding && e.fit(a) && !a.spreading:
		e.confirm(a)
	}
}

// yield asks for a successor, if there is anybody to hear it.
func (e *Election) yield(a *address) {
	if !slices.ContainsFunc(e.roll, a.hears) {
		e.drop(a)
		return
	}
	a.own = yielding
	e.agenda.set(a, e.clock.elapsed+e.timing.Bound)
}

// confirm takes it back that a successor is asked for.
func (e *Election) confirm(a *address) {
	a.own, a.spreading = firm, false
	e.agenda.remove(a)
}

func (e *Election) drop(a *address) {
	if a.own == nothing {
		return
	}
	a.own, a.spreading = nothing, false
	e.owned--
	e.agenda.remove(a)
}

// seek claims an address, now or in its turn, if nobody does and this node may.
func (e *Election) seek(a *address, leader *claim) {
	if leader != nil && leader.hold == firm || !e.stands(a) {
		a.seeking = false
		e.agenda.remove(a)
		return
	}
	rank := e.rank(a)
	due := e.clock.elapsed + time.Duration(rank)*e.timing.Step
	if a.seeking && rank <= a.rank {
		due = min(due, a.due) // Whoever waits does not begin anew.
	}
	a.seeking, a.rank = true, rank
	switch {
	case due > e.clock.elapsed:
		e.agenda.set(a, due)
	case e.unready > 0:
		e.agenda.remove(a)
		a.due = due
		e.queue(a)
	default:
		e.claim(a)
	}
}

func (e *Election) claim(a *address) {
	a.seeking = false
	e.agenda.remove(a)
	a.own = firm
	e.owned++
	_, a.rivals = a.leader()
	a.contested = false
}

// contest sees to it that an address is announced again: when somebody turns up
// who has it too, and when that one is gone.
func (e *Election) contest(a *address, rivals int) {
	if a.own == firm {
		if rivals > a.rivals {
			a.contested, a.again = true, true
		} else if rivals < a.rivals && a.contested {
			a.again = true
		}
	}
	a.rivals = rivals
	a.contested = a.contested && rivals > 0
}

// queue makes an address wait until the claims of all members are known.
func (e *Election) queue(a *address) {
	if !a.queued {
		a.queued = true
		e.waiting = append(e.waiting, a)
	}
}

// open claims what waited, once the claims of all members are known.
func (e *Election) open() {
	if e.unready > 0 || len(e.waiting) == 0 {
		return
	}
	waited := e.waiting
	e.waiting = nil
	for _, a := range waited {
		a.queued = false
		e.settle(a)
	}
}

// reconsider ranks anew on what is to be claimed, since the candidates are others.
func (e *Election) reconsider() {
	for _, a := range slices.Concat(e.agenda.all, e.waiting) {
		if a.seeking {
			e.settle(a)
		}
	}
}
