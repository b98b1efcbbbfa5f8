package mld

import (
	"net/netip"
	"slices"
	"time"
)

// The timing of RFC 3810 section 9.
const (
	// robustness is how often a change is told.
	robustness = 3
	// unsolicited is the longest time between two times. It is longer than the
	// second that an interface which just came up needs for an address to send
	// from that everybody believes.
	unsolicited = 2 * time.Second
	// forgetVersion1 is how long a querier of version 1 is remembered.
	forgetVersion1 = 260 * time.Second
	// answerGap is the least time between two answers to a general query, and
	// packetGap what each packet of the first adds to it.
	answerGap = 100 * time.Millisecond
	packetGap = time.Millisecond
)

// Listener knows the groups of an interface, and when what has to be said of
// them. It has no socket and no clock.
type Listener struct {
	// random returns a duration from 0 to limit.
	random func(limit time.Duration) time.Duration
	groups map[netip.Addr]bool

	// changed are groups that were joined or left, which nobody was told yet.
	// told are those of which it is to be told again, and how often.
	changed map[netip.Addr]bool
	told    map[netip.Addr]int
	// asked are groups that a query was for.
	asked map[netip.Addr]bool
	// When to tell of changes, and again, and when to answer for the groups
	// asked, and for all of them; zero: never.
	changedDue, toldDue, askedDue, allDue time.Time

	earliest time.Time // when all may be answered for again
	version1 time.Time // when a querier of version 1 was heard
}

// NewListener returns a listener that is in no group. The function returns a
// random duration from 0 to limit.
func NewListener(random func(limit time.Duration) time.Duration) *Listener {
	return &Listener{
		random:  random,
		groups:  make(map[netip.Addr]bool),
		changed: make(map[netip.Addr]bool),
		told:    make(map[netip.Addr]int),
		asked:   make(map[netip.Addr]bool),
	}
}

// Set joins a group or leaves it.
func (l *Listener) Set(now time.Time, group netip.Addr, join bool) {
	if l.groups[group] == join {
		return
	}
	if join {
		l.groups[group] = true
	} else {
		delete(l.groups, group)
		delete(l.asked, group)
	}
	l.changed[group] = true
	l.changedDue = now
}

// Queried takes in a query. It is answered after a while, since many listeners
// hear it at once.
func (l *Listener) Queried(now time.Time, q Query) {
	if q.Version == 1 {
		l.version1 = now
	}
	due := now.Add(l.random(q.MaxDelay))
	switch {
	case len(l.groups) == 0:
	case !q.Group.IsValid():
		// Whoever asks without end is not answered without end.
		if due.Before(l.earliest) {
			due = l.earliest
		}
		l.allDue = sooner(l.allDue, due)
	case l.groups[q.Group]:
		l.asked[q.Group] = true
		l.askedDue = sooner(l.askedDue, due)
	}
}

// Next returns when Due has something to say; ok is false if nothing is planned.
func (l *Listener) Next() (at time.Time, ok bool) {
	at = sooner(sooner(l.changedDue, l.toldDue), sooner(l.askedDue, l.allDue))
	return at, !at.IsZero()
}

// sooner returns the earlier of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Due returns what is to be sent now.
func (l *Listener) Due(now time.Time) []Packet {
	var records []record
	answer := due(l.allDue, now)
	if due(l.toldDue, now) {
		records = append(records, l.tellAgain(now)...)
	}
	if due(l.changedDue, now) {
		records = append(records, l.tell(now)...)
	}
	switch {
	case answer:
		records = append(records, current(l.groups)...)
		l.allDue, l.askedDue = time.Time{}, time.Time{}
		clear(l.asked)
	case due(l.askedDue, now):
		records = append(records, current(l.asked)...)
		l.askedDue = time.Time{}
		clear(l.asked)
	}
	version := 2
	if !l.version1.IsZero() && now.Sub(l.version1) < forgetVersion1 {
		version = 1
	}
	all := packets(version, records)
	if answer {
		l.earliest = now.Add(answerGap + time.Duration(len(all))*packetGap)
	}
	return all
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// tell returns the records of what changed, and plans to tell it again.
func (l *Listener) tell(now time.Time) []record {
	var records []record
	for group := range l.changed {
		records = append(records, l.change(group))
		l.told[group] = robustness - 1
	}
	clear(l.changed)
	l.changedDue = time.Time{}
	l.toldDue = sooner(l.toldDue, l.again(now))
	return sorted(records)
}

// tellAgain returns the records of what was told, until that was often enough.
func (l *Listener) tellAgain(now time.Time) []record {
	var records []record
	for group, left := range l.told {
		records = append(records, l.change(group))
		l.told[group] = left - 1
		if left == 1 {
			delete(l.told, group)
		}
	}
	l.toldDue = time.Time{}
	if len(l.told) > 0 {
		l.toldDue = l.again(now)
	}
	return sorted(records)
}

func (l *Listener) again(now time.Time) time.Time {
	return now.Add(unsolicited/2 + l.random(unsolicited/2))
}

// change returns the record of a group that was joined or left.
func (l *Listener) change(group netip.Addr) record {
	if l.groups[group] {
		return record{kind: changeToExclude, group: group}
	}
	return record{kind: changeToInclude, group: group}
}

// current returns the records of groups that have a listener.
func current(groups map[netip.Addr]bool) []record {
	records := make([]record, 0, len(groups))
	for group := range groups {
		records = append(records, record{kind: modeIsExclude, group: group})
	}
	return sorted(records)
}

func sorted(records []record) []record {
	slices.SortFunc(records, func(a, b record) int { return a.group.Compare(b.group) })
	return records
}
