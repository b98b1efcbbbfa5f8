package routeradvert

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer/l2/link"
)

const (
	// maxInterval and minInterval are the bounds of the time between two advertisements
	// that nobody asked for (MaxRtrAdvInterval and MinRtrAdvInterval of RFC 4861 section
	// 6.2.1). A router that restarted, and sends no solicitation, waits as long.
	maxInterval = 10 * time.Second
	minInterval = maxInterval * 3 / 4
	// maxDelay is that of an answer, and minGap the least time between an answer and the
	// advertisement before (MAX_RA_DELAY_TIME and MIN_DELAY_BETWEEN_RAS, section 10).
	maxDelay = 500 * time.Millisecond
	minGap   = 3 * time.Second
	// retry is the time after which what failed is tried again.
	retry = time.Second
	// probing is how long the kernel may probe for the address of an interface that came
	// up, which is no use until then (RFC 4862 section 5.4).
	probing = 3 * time.Second
)

// The reasons why nothing can be advertised, beyond what the kernel says.
var (
	errNoInterface = errors.New("no Ethernet interface has that name")
	errDown        = errors.New("it is down")
	errNoAddress   = errors.New("it has no link-local address")
)

// agenda says on which interfaces to advertise, and when. It has no socket and no clock.
type agenda struct {
	// random returns a duration from 0 to limit.
	random func(limit time.Duration) time.Duration
	// known are all interfaces of the host.
	known   []link.Interface
	entries []*entry
}

// entry is an interface that is asked for.
type entry struct {
	name string
	// on is the interface; its Epoch is 0 while it is not there, or down.
	on link.Interface
	// due is when to advertise next; zero: never. Sent is when that was done; zero: not
	// since the interface came up. Since is when it did.
	due, sent, since time.Time
	// fault is why it cannot be, nil if it can as far as is known.
	fault error
}

func newAgenda(random func(limit time.Duration) time.Duration) *agenda {
	return &agenda{random: random}
}

// setNames says on which interfaces to advertise.
func (a *agenda) setNames(now time.Time, names []string) {
	before := a.entries
	a.entries = make([]*entry, 0, len(names))
	for _, name := range names {
		if i := slices.IndexFunc(before, func(e *entry) bool { return e.name == name }); i >= 0 {
			a.entries = append(a.entries, before[i])
			continue
		}
		e := &entry{name: name}
		a.place(now, e)
		a.entries = append(a.entries, e)
	}
}

// setKnown says what the interfaces of the host are.
func (a *agenda) setKnown(now time.Time, all []link.Interface) {
	a.known = all
	for _, e := range a.entries {
		a.place(now, e)
	}
}

// place finds an entry's interface. Who is there may have forgotten this node if it came up
// since, so it is told at once; and what failed may not fail any more.
func (a *agenda) place(now time.Time, e *entry) {
	before := e.on
	e.on = link.Interface{}
	i := slices.IndexFunc(a.known, func(i link.Interface) bool { return i.Name == e.name })
	switch {
	case i < 0:
		e.due, e.fault = time.Time{}, errNoInterface
		return
	case !a.known[i].Up:
		e.due, e.fault = time.Time{}, errDown
		return
	}
	e.on = a.known[i]
	switch {
	case e.on.Epoch != before.Epoch:
		e.since, e.due, e.sent, e.fault = now, now, time.Time{}, nil
	case e.fault != nil:
		e.due = now
	case !slices.Equal(e.on.Prefixes, before.Prefixes):
		// The address that is sent from may be another.
		e.hasten(e.earliest(now))
	}
}

// earliest returns when it is not too soon after the last advertisement.
func (e *entry) earliest(now time.Time) time.Time {
	if at := e.sent.Add(minGap); now.Before(at) {
		return at
	}
	return now
}

// hasten advertises at a time, and reports whether that is earlier than planned.
func (e *entry) hasten(at time.Time) bool {
	if !at.Before(e.due) {
		return false
	}
	e.due = at
	return true
}

// solicited takes in that a router asked, and reports whether that changes anything. All
// are answered by one advertisement, after a while (RFC 4861 section 6.2.6).
func (a *agenda) solicited(now time.Time, epoch uint64) bool {
	e := a.find(epoch)
	if e == nil || e.fault != nil {
		return false
	}
	return e.hasten(e.earliest(now).Add(a.random(maxDelay)))
}

// find returns the entry of an interface, nil if there is none.
func (a *agenda) find(epoch uint64) *entry {
	i := slices.IndexFunc(a.entries, func(e *entry) bool { return e.on.Epoch == epoch })
	if epoch == 0 || i < 0 {
		return nil
	}
	return a.entries[i]
}

// take returns the interfaces to advertise on now.
func (a *agenda) take(now time.Time) []link.Interface {
	var all []link.Interface
	for _, e := range a.entries {
		if !e.due.IsZero() && !e.due.After(now) {
			all = append(all, e.on)
		}
	}
	return all
}

// done takes in what came of an advertisement.
func (a *agenda) done(now time.Time, epoch uint64, err error) {
	e := a.find(epoch)
	switch {
	case e == nil:
	case err != nil:
		e.due = now.Add(retry)
		if !errors.Is(err, errNoAddress) || now.Sub(e.since) >= probing {
			e.fault = err
		}
	default:
		e.fault, e.sent = nil, now
		e.due = now.Add(minInterval + a.random(maxInterval-minInterval))
	}
}

// next returns when take has something; ok is false if nothing is planned.
func (a *agenda) next() (at time.Time, ok bool) {
	for _, e := range a.entries {
		if !e.due.IsZero() && (!ok || e.due.Before(at)) {
			at, ok = e.due, true
		}
	}
	return at, ok
}

// complaints are why nothing can be advertised on interfaces.
func (a *agenda) complaints() (all []string) {
	for _, e := range a.entries {
		if e.fault != nil {
			all = append(all, fmt.Sprintf("no router advertisements on %s: %v", e.name, e.fault))
		}
	}
	return all
}
