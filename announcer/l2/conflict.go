package l2

import (
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// conflict is what an entry knows of others that use its address.
type conflict struct {
	// probing counts the sites whose probes are not concluded.
	probing int
	// strikes counts the conflicts in a row.
	strikes int
	// unasked are the sites, by epoch, that refused a probe of the chain.
	unasked []uint64
	// stranger is the other user that was told of last, zero if none.
	stranger frame.MAC
	// contest is nil while no stranger was seen.
	contest *contest
}

// contest is what an entry that is announced knows of a stranger.
type contest struct {
	// met is when a stranger was seen first, and seen when last.
	met, seen time.Time
	// last is the stranger seen last, and where the epoch of the interface.
	last  frame.MAC
	where uint64
	// looking: a second look is planned. found is when the last one was that
	// found the stranger still there.
	looking bool
	found   time.Time
	// defences counts those without a quiet spell between.
	defences int
}

// maxDefences is how often an address is defended without a quiet spell.
// RFC 5227 section 2.4 (c) lets one host defend for ever; two that do, such as
// two of ours that disagree, would never settle.
const maxDefences = 3

// probe asks on all sites of an entry who uses its address. What was in
// conflict stays so until nobody does.
func (e *engine) probe(now time.Time, en *entry) {
	if en.state == announcer.Conflict {
		e.newTurn(en)
	} else {
		e.setState(now, en, announcer.Probing)
	}
	e.setRoles(en, en.sites, watched)
	en.probing, en.unasked = len(en.sites), nil
	for _, s := range en.sites {
		e.agenda.now(task{kind: sendProbe, addr: en.Address, turn: en.turn, epoch: s.epoch, bulk: en.bulk})
	}
}

// afterProbe plans what comes after a probe: next, or the end of the wait.
func (e *engine) afterProbe(now time.Time, next task) {
	wait := e.timing.ProbeInterval
	if next.round >= e.timing.Probes {
		next.kind, wait = conclude, e.timing.ProbeWait
	}
	e.agenda.at(now.Add(wait), next)
}

// decide does a task that sends nothing.
func (e *engine) decide(now time.Time, en *entry, t task) {
	switch t.kind {
	case conclude:
		if i := slices.Index(en.unasked, t.epoch); i >= 0 {
			// Silence says nothing to who did not ask.
			en.unasked = slices.Delete(en.unasked, i, i+1)
			e.agenda.now(task{kind: sendProbe, addr: en.Address, turn: en.turn, epoch: t.epoch, bulk: en.bulk})
			return
		}
		en.probing--
		if en.probing == 0 {
			en.free = true
			e.announce(now, en)
		}
	case retry:
		e.probe(now, en)
	case secondLook:
		e.look(now, en)
	case forget:
		if quiet := en.contest.seen.Add(e.timing.Quiet); quiet.After(now) {
			e.agenda.at(quiet, t)
			return
		}
		en.contest = nil
		e.meet(en, frame.MAC{})
	default:
	}
}

// sighted takes in that a station uses an address, or is about to. It reports
// whether that is a conflict, and not one of our own interfaces.
func (e *engine) sighted(now time.Time, s sighting) bool {
	en, ok := e.entries[s.addr]
	if !ok || !en.on(s.epoch) || e.ours(s.mac) {
		return false
	}
	switch {
	case en.probing > 0:
		e.yield(now, en, s.mac)
	case s.probe && en.state == announcer.Announced:
		return false // who only asks was answered
	case en.state == announcer.Announced:
		e.suspect(now, en, s)
	default: // in conflict until the next probe
	}
	return true
}

// meet takes in which station it is that uses an address; zero: none.
func (e *engine) meet(en *entry, stranger frame.MAC) {
	if en.stranger != stranger {
		en.stranger = stranger
		e.report(en)
	}
}

// ours reports whether a MAC is that of an interface of this host: on a
// segment that two of them are on, each hears the other.
func (e *engine) ours(mac frame.MAC) bool {
	return slices.ContainsFunc(e.interfaces, func(i link.Interface) bool { return i.MAC == mac })
}

// yield leaves an address to the stranger who has it, and plans to look again.
// The wait doubles, and is stretched by up to a quarter at random, so that two
// who probe for the same address at once do not do so for ever.
func (e *engine) yield(now time.Time, en *entry, stranger frame.MAC) {
	if en.state == announcer.Conflict {
		e.newTurn(en)
		e.meet(en, stranger)
	} else {
		en.stranger = stranger
		e.setState(now, en, announcer.Conflict)
	}
	en.probing = 0
	wait := min(e.timing.RetryMin<<min(en.strikes, 16), e.timing.RetryMax)
	wait += e.random(wait / 4)
	en.strikes++
	e.agenda.at(now.Add(wait), task{kind: retry, addr: en.Address, turn: en.turn})
}

// suspect takes in that a stranger uses an address that is announced. Nothing
// is told or sent at once: in a hand-over two nodes of ours overlap for a moment.
func (e *engine) suspect(now time.Time, en *entry, s sighting) {
	if en.contest == nil {
		en.contest = &contest{met: now}
		e.agenda.at(now.Add(e.timing.Quiet), task{kind: forget, addr: en.Address, turn: en.turn})
	}
	c := en.contest
	c.seen, c.last, c.where = now, s.mac, s.epoch
	if c.looking {
		return
	}
	c.looking = true
	look := now.Add(e.timing.SecondLook)
	if earliest := c.found.Add(e.timing.DefendInterval); earliest.After(look) {
		look = earliest
	}
	e.agenda.at(look, task{kind: secondLook, addr: en.Address, turn: en.turn})
}

// look takes a second look at a stranger. One that was seen for a moment only
// was a stray frame, or another node of ours; one that stays is told of, and
// everybody is told that the address is still ours (RFC 5227 section 2.4).
func (e *engine) look(now time.Time, en *entry) {
	c := en.contest
	if c == nil {
		return // forgotten
	}
	c.looking = false
	if c.seen.Sub(c.met) < e.timing.SecondLook/2 {
		return
	}
	c.found = now
	e.meet(en, c.last)
	if c.defences < maxDefences {
		c.defences++
		e.agenda.now(task{kind: sendAnnouncement, addr: en.Address, turn: en.turn, epoch: c.where, round: alone})
	}
}
