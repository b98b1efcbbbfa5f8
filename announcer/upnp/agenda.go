package upnp

import (
	"net/netip"
	"slices"
	"time"
)

// The times of a mapper.
const (
	// checkInterval is how often a gateway is asked whether it has been up all the
	// time, for its address, and for one of the rules.
	checkInterval = 30 * time.Second
	// The wait before something is tried again: from retryFirst, doubled.
	retryFirst    = time.Second
	retryLongest  = 5 * time.Minute
	searchLongest = time.Minute
	jitterShare   = 0.2 // of a wait, either way
	uptimeSlack   = 5 * time.Second
	permanentAge  = time.Hour // when a rule without a lease is asked for again
	// foreverGone is after which a rule is not removed any more from a gateway that
	// stays away, if it has no lease.
	foreverGone = time.Hour
	// inheritedGone is the same for one that was never asked for here.
	inheritedGone = 2 * time.Minute
)

// action is what a mapper is to do next.
type action int

const (
	rest action = iota
	search
	check
	ask
	remove
)

// step is an action, and the rule that it is about, if any.
type step struct {
	action action
	want   Want
}

// entry is what is known of one rule.
type entry struct {
	want     Want
	state    State
	problem  string
	due      time.Time
	failures int
	// notBefore is for a rule that a gateway does not answer to.
	notBefore time.Time
	// asked says that a gateway may have it; until is when none can any more.
	asked bool
	until time.Time
	// going says that it is to be removed.
	going    bool
	verified time.Time
}

// denied tells whether the gateway is known not to have the rule.
func (e *entry) denied() bool { return e.state == Conflict || e.state == Refused }

// agenda decides what is to be done when. It is pure: told the time, and what came of
// each step.
type agenda struct {
	// random returns a number of [0,1).
	random  func() float64
	entries map[Rule]*entry

	// found says that a gateway is known. troubles counts failures since it last
	// answered.
	found    bool
	troubles int
	seek     time.Time
	check    time.Time
	external netip.Addr
	// started is when the gateway's connection came up, by its own word.
	started time.Time
	// boot is the BOOTID.UPNP.ORG that the gateway last gave, "" if none.
	boot string
}

func newAgenda(random func() float64) *agenda {
	return &agenda{random: random, entries: make(map[Rule]*entry)}
}

// set replaces the rules that are wanted. Of those that are not any more, leave are for
// somebody else to remove, if anybody.
func (a *agenda) set(wants []Want, leave []Rule, now time.Time) {
	wanted := make(map[Rule]bool, len(wants))
	for _, want := range wants {
		wanted[want.Rule] = true
		e := a.entries[want.Rule]
		switch {
		case e == nil:
			a.entries[want.Rule] = &entry{want: want, state: Pending, due: now, until: now.Add(want.Lease)}
		case e.going || e.want != want:
			e.want, e.going, e.due, e.failures = want, false, now, 0
		}
	}
	for rule, e := range a.entries {
		switch {
		case wanted[rule] || e.going:
		case slices.Contains(leave, rule) || !e.asked && (e.denied() || rule.Client.Is6()):
			delete(a.entries, rule)
		default:
			e.going, e.due, e.failures = true, now, 0
			if !e.asked { // another node may have had it in force before
				e.until = earlier(e.until, now.Add(inheritedGone))
			}
		}
	}
}

// next returns what is due, or else when something is; the zero time is never.
func (a *agenda) next(now time.Time) (step, time.Time) {
	a.tidy(now)
	if len(a.entries) == 0 {
		// Nobody listens to the gateway from now on.
		a.found, a.troubles, a.seek = false, 0, time.Time{}
		return step{}, time.Time{}
	}
	if !a.found {
		if a.seek.After(now) {
			return step{}, a.seek
		}
		return step{action: search}, now
	}
	first := a.first()
	switch {
	case !a.check.After(now) && a.started.IsZero() && !first.going:
		return step{check, a.oldest()}, now // who it is, before anything is asked of it
	case first.due.After(now) && a.check.After(now):
		return step{}, earlier(first.due, a.check)
	case first.due.After(now):
		return step{check, a.oldest()}, now
	case first.going:
		return step{remove, first.want}, now
	default:
		return step{ask, first.want}, now
	}
}

// first returns what is due first; what is to go goes before the rest, since it may be
// in the way.
func (a *agenda) first() *entry {
	var first *entry
	for _, e := range a.entries {
		if first == nil || before(e, first) {
			first = e
		}
	}
	return first
}

func before(e, other *entry) bool {
	if e.going != other.going {
		return e.going
	}
	if c := e.due.Compare(other.due); c != 0 {
		return c < 0
	}
	return e.want.compare(other.want.Rule) < 0
}

// oldest returns the rule that the gateway was asked about longest ago, of those that it
// should have; none if there is none.
func (a *agenda) oldest() Want {
	var oldest *entry
	for _, e := range a.entries {
		if e.state != Mapped || e.going {
			continue
		}
		if oldest == nil || e.verified.Before(oldest.verified) ||
			e.verified.Equal(oldest.verified) && e.want.compare(oldest.want.Rule) < 0 {
			oldest = e
		}
	}
	if oldest == nil {
		return Want{}
	}
	return oldest.want
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// tidy forgets what was to be removed and is gone by itself.
func (a *agenda) tidy(now time.Time) {
	for rule, e := range a.entries {
		if e.going && !e.until.After(now) {
			delete(a.entries, rule)
		}
	}
}

// discovered notes a gateway, which knows of no rule until it says so.
func (a *agenda) discovered(boot string, now time.Time) {
	a.found, a.boot, a.started = true, boot, time.Time{}
	a.again(now)
}

// again has the gateway asked for everything anew.
func (a *agenda) again(now time.Time) {
	a.check = now
	for _, e := range a.entries {
		e.due = now
		if e.notBefore.After(now) {
			e.due = e.notBefore
		}
	}
}

// failed notes that no gateway was found, or that it did not answer.
func (a *agenda) failed(problem string, now time.Time) {
	a.found = false
	a.seek = now
	if a.troubles > 0 {
		a.seek = now.Add(a.wait(a.troubles-1, searchLongest))
		for _, e := range a.entries {
			e.state, e.problem = NoGateway, problem
		}
	}
	a.troubles++
}

// mapped notes that the gateway has the rule, for as long as lease; 0: for ever.
func (a *agenda) mapped(rule Rule, lease time.Duration, now time.Time) {
	a.troubles = 0
	e := a.entries[rule]
	if e == nil {
		return
	}
	e.state, e.problem, e.failures, e.asked, e.verified = Mapped, "", 0, true, now
	e.notBefore = time.Time{}
	if lease == 0 {
		e.due, e.until = now.Add(permanentAge), now.Add(foreverGone)
		return
	}
	e.due, e.until = now.Add(lease/2), now.Add(lease)
}

// tried notes that the gateway was asked, and did not answer.
func (a *agenda) tried(rule Rule, now time.Time) {
	if e := a.entries[rule]; e != nil {
		e.asked = true
		e.notBefore = now.Add(a.wait(e.failures, retryLongest))
		e.failures++
	}
}

// denied notes that the gateway does not have the rule.
func (a *agenda) denied(rule Rule, state State, problem string, now time.Time) {
	a.troubles = 0
	e := a.entries[rule]
	if e == nil {
		return
	}
	e.due = now.Add(a.wait(e.failures, retryLongest))
	e.failures++
	e.state, e.problem = state, problem
	if state == Conflict {
		e.asked = false // what is there is not ours
	}
}

// removed notes that the gateway does not have a rule any more that was to go.
func (a *agenda) removed(rule Rule) {
	a.troubles = 0
	if e := a.entries[rule]; e != nil && e.going {
		delete(a.entries, rule)
	}
}

// condition is what a gateway says of itself.
type condition struct {
	external netip.Addr
	uptime   time.Duration
}

// checked notes what the gateway says of itself, and of the rule that was asked about,
// if any: whether it is there.
func (a *agenda) checked(c condition, rule Rule, there bool, now time.Time) {
	a.troubles = 0
	a.check = now.Add(checkInterval)
	started := now.Add(-c.uptime)
	// One that does not know has been up for no time at all.
	restarted := c.uptime > 0 && !a.started.IsZero() && started.Sub(a.started) > uptimeSlack
	if a.started.IsZero() || restarted {
		a.started = started
	}
	a.external = c.external
	if e := a.entries[rule]; e != nil {
		e.verified = now
		if !there {
			restarted = true
		}
	}
	if restarted {
		a.again(now)
		a.check = now.Add(checkInterval)
	}
}

// noticed takes what the gateway tells everybody: that it is there, by a number that
// changes when it restarts (UPnP Device Architecture 2.0 section 1.2.2), or goes.
func (a *agenda) noticed(n notice, now time.Time) {
	switch {
	case n.gone:
		if a.found {
			a.found, a.seek = false, now.Add(retryFirst)
		}
	case !a.found:
		a.seek = now
	case n.boot == "":
	case a.boot == "":
		a.boot = n.boot
	case n.boot != a.boot:
		a.found, a.seek = false, now // its address of control may be another, too
	}
}

// wait returns how long to wait after so many failures.
func (a *agenda) wait(failures int, longest time.Duration) time.Duration {
	wait := longest
	if failures < 16 {
		wait = min(retryFirst<<failures, longest)
	}
	return time.Duration(float64(wait) * (1 - jitterShare + 2*jitterShare*a.random()))
}

// statuses returns what came of each rule that is wanted.
func (a *agenda) statuses(now time.Time) map[Rule]Status {
	all := make(map[Rule]Status, len(a.entries))
	for rule, e := range a.entries {
		if e.going {
			continue
		}
		status := Status{Rule: rule, State: e.state, Problem: e.problem, Lapsed: !e.until.After(now)}
		switch {
		case e.state != Mapped:
		case rule.Client.Is6():
			status.External = netip.AddrPortFrom(rule.Client, rule.Port)
		case a.external.IsValid():
			status.External = netip.AddrPortFrom(a.external, rule.Port)
		}
		all[rule] = status
	}
	return all
}

// settled tells whether nothing is to be removed.
func (a *agenda) settled() bool {
	for _, e := range a.entries {
		if e.going {
			return false
		}
	}
	return true
}
