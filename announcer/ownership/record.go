package ownership

import (
	"net/netip"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
)

// record is an address that a Service holds.
type record struct {
	announcer.Candidacy
	// carried: there is an interface here that it can be announced on.
	carried bool
	// own: this node answers for it. owner is who does, "" if nobody; before is
	// the last that did.
	own           bool
	owner, before string
	// tentative: it is not known yet whether a stranger uses it.
	tentative bool
	// heard is when that was first heard of it.
	heard time.Time
	// told is what was said of it last, as long as it is not announced here;
	// untold: it is to be looked at whether that is still so.
	told struct {
		state announcer.State
		owner string
	}
	untold bool
}

// put begins or changes a candidacy. What is the same, but for Probe, changes
// nothing.
func (m *mind) put(now time.Time, c announcer.Candidacy) {
	r, ok := m.records[c.Address]
	if !ok {
		r = &record{}
		m.records[c.Address] = r
		m.places.name(c.Interface, 1)
		m.unplaced = m.unplaced || c.Interface != ""
	} else if r.Interface != c.Interface {
		m.places.name(r.Interface, -1)
		m.places.name(c.Interface, 1)
		m.unplaced = true
		if r.own {
			m.effects.puts = append(m.effects.puts, announcer.Announcement{Address: c.Address, Interface: c.Interface, Probe: r.tentative})
		}
	}
	r.Candidacy = c
	m.place(now, r)
}

// remove ends a candidacy: this node is silent at once.
func (m *mind) remove(now time.Time, addr netip.Addr) {
	r, ok := m.records[addr]
	if !ok {
		return
	}
	delete(m.records, addr)
	m.places.name(r.Interface, -1)
	if r.own {
		m.counts.own(addr, -1)
		m.effects.deletes = append(m.effects.deletes, addr)
	}
	m.election.Delete(now, addr)
	m.effects.statuses = append(m.effects.statuses, announcer.Status{Address: addr, State: announcer.Withdrawn, Since: now})
}

// place tells the election of a record as it is now.
func (m *mind) place(now time.Time, r *record) {
	var segments election.Segments
	segments, r.carried = m.places.of(r.Address, r.Interface, now.Add(m.listening()))
	m.election.Put(now, election.Candidate{
		Address: r.Address, Segments: segments,
		Eligible: r.Eligible && !m.facts.Excluded,
		Hosts:    r.Hosts,
		Named:    r.Interface != "",
		Probe:    r.Probe,
	})
	m.untell(r)
}

// placeAll tells the election of all records.
func (m *mind) placeAll(now time.Time) {
	for _, r := range m.records {
		m.place(now, r)
	}
}

// change takes in who owns an address.
func (m *mind) change(now time.Time, c election.Change) {
	r, ok := m.records[c.Address]
	if !ok {
		return // It was removed, and is no longer answered for.
	}
	was := r.own
	r.own, r.owner, r.tentative = c.Own, c.Owner, c.Tentative
	switch {
	case c.Own && !was:
		m.counts.own(c.Address, 1)
		m.taken(now, r)
		m.effects.puts = append(m.effects.puts, announcer.Announcement{
			Address: c.Address, Interface: r.Interface, Probe: c.Tentative, From: c.From,
		})
	case was && !c.Own:
		m.counts.own(c.Address, -1)
		m.effects.deletes = append(m.effects.deletes, c.Address)
	default:
	}
	if c.Owner != "" {
		r.before, r.heard = c.Owner, now
	}
	m.untell(r)
}

// untell has it looked at what is to be said of an address.
func (m *mind) untell(r *record) {
	if !r.untold {
		r.untold = true
		m.untold = append(m.untold, r)
	}
}

// tell says where an address stands that is not announced here.
func (m *mind) tell(now time.Time, r *record) {
	r.untold = false
	if m.records[r.Address] != r {
		return // It was removed.
	}
	if r.own {
		r.told.state, r.told.owner = "", ""
		return // What comes of the announcement is told as it comes.
	}
	state := announcer.Standby
	if !r.carried {
		state = announcer.OffLink
	}
	if r.told.state == state && r.told.owner == r.owner {
		return
	}
	r.told.state, r.told.owner = state, r.owner
	m.effects.statuses = append(m.effects.statuses, announcer.Status{
		Address: r.Address, State: state, Owner: r.owner, Since: now,
	})
}

// reported takes in what came of an announcement. A word on one that is over
// may be late. What is announced was probed, if that was asked for.
func (m *mind) reported(now time.Time, s announcer.Status) {
	r, ok := m.records[s.Address]
	if !ok || !r.own || s.State == announcer.Withdrawn {
		return
	}
	if r.tentative && s.State == announcer.Announced {
		r.tentative = false
		m.election.Probed(now, s.Address)
	}
	s.Owner = m.self.Node
	m.effects.statuses = append(m.effects.statuses, s)
}
