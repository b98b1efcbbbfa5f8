package election

import (
	"slices"
	"time"
)

// settle decides anew on an address of which something has changed.
func (e *Election) settle(a *address) {
	e.touch(a)
	a.learn()
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

// keep decides how an address is held on to, if it is. What this node cannot
// answer for any more it does not (see answers), but it asks for a successor.
func (e *Election) keep(a *address, leader *claim) {
	if !a.wanted {
		e.drop(a)
		return
	}
	switch {
	case e.fit(a):
	case a.own == firm:
		e.yield(a)
	case a.own == tentative && a.slot >= 0: // Probed, and answered for since, though that was not told yet.
		e.confirm(a)
		e.yield(a)
	case a.own == tentative:
		e.drop(a) // There is nothing to hand over yet.
		return
	}
	if a.spreading && e.fit(a) && leader != nil && leader.hold == yielding {
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

// confirm takes it back that a successor is asked for, or that a claim is tentative.
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
	if leader != nil && leader.hold > yielding || !e.stands(a) {
		a.seeking = false
		e.agenda.remove(a)
		return
	}
	if !a.seeking {
		a.seeking, a.waited, a.since = true, false, e.clock.elapsed
	}
	rank, unsure := e.rank(a, e.clock.elapsed < a.since+e.timing.Step)
	due := a.since + time.Duration(rank)*e.timing.Step
	switch {
	case due > e.clock.elapsed:
		e.agenda.set(a, due)
	case unsure:
		e.agenda.set(a, e.clock.elapsed+patience)
	case e.unready > 0 && !a.waited:
		e.agenda.remove(a)
		e.queue(a)
	default:
		e.claim(a)
	}
}

func (e *Election) claim(a *address) {
	a.seeking = false
	e.agenda.remove(a)
	a.own = firm
	// Who answered until now need not find out.
	if a.evidence == doubtful && !a.told.answers() || a.evidence == unheard && a.Probe {
		a.own = tentative
	}
	a.learn()
	e.owned++
	_, rivals := a.leader()
	a.rivals = int32(rivals)
}

// contest has an address announced again when somebody turns up who has it too;
// see also relinquish.
func (e *Election) contest(a *address, rivals int) {
	a.again = a.again || a.own > yielding && rivals > int(a.rivals)
	a.rivals = int32(rivals)
}

// relinquish has an address announced again that is this node's when another that
// had it too, or did unheard of, gives it up: until then it may have said so, or
// answered a probe.
func (e *Election) relinquish(a *address, was hold) {
	if a.own == tentative || a.own == firm && was != yielding {
		a.again = true
		e.touch(a)
	}
}

// queue makes an address wait until the claims of all members are known.
func (e *Election) queue(a *address) {
	if !a.queued {
		a.queued = true
		e.waiting = append(e.waiting, a)
	}
}

// open claims what waited, once the claims of all members are known; what others
// come first for, only after their turn, which it is now for them as well.
func (e *Election) open() {
	if e.unready > 0 || len(e.waiting) == 0 {
		return
	}
	waited := e.waiting
	e.waiting = nil
	for _, a := range waited {
		a.queued, a.waited, a.since = false, true, e.clock.elapsed
		e.settle(a)
	}
}

// reconsider ranks anew on what is to be claimed after another, since that one
// may be no candidate any more. It is not called for a new member: such a one is
// found in the ranking when the wait for the others is over.
func (e *Election) reconsider(m *member) {
	for _, a := range slices.Concat(e.agenda.all, e.waiting) {
		if a.seeking && m.outranks(e.self, a) {
			e.settle(a)
		}
	}
}
