package election

import (
	"net/netip"
	"slices"
	"time"
)

// hold is how an address is held; more is better.
type hold uint8

const (
	nothing hold = iota
	yielding
	tentative
	firm
)

// answers says that who holds an address so answers for it, if it can.
func (h hold) answers() bool { return h == yielding || h == firm }

// evidence is what is known of whether strangers use an address.
type evidence uint8

const (
	// unheard: nobody of ours is known to have claimed it.
	unheard evidence = iota
	// doubtful: who claims it, or did last, had yet to find out.
	doubtful
	// ours: who claims it answers for it, or who did last answered.
	ours
)

// address is all that is known of one.
type address struct {
	Candidate
	wanted    bool // is a candidate
	evidence  evidence
	own       hold
	told      hold // own, as last published
	spreading bool // yields for the sake of balance only
	claims    []claim
	place     int // in Election.all

	again  bool  // is to be announced again
	rivals int32 // how many claimed it when that was last looked at

	seeking bool          // is to be claimed when it is this node's turn
	queued  bool          // in Election.waiting
	waited  bool          // was there, and need not be again
	touched bool          // in Election.touched
	slot    int32         // in the agenda, -1 if it is not
	since   time.Duration // if seeking
	due     time.Duration // if on the agenda

	// reported is what the last Change said.
	reported struct {
		own   bool
		owner string
	}
}

// claim is that of a member.
type claim struct {
	by    *member
	hold  hold
	place int // in by.claims
}

// record returns that of an address, which it makes if there is none.
func (e *Election) record(addr netip.Addr) *address {
	a, ok := e.addresses[addr]
	if !ok {
		a = &address{Candidate: Candidate{Address: addr}, place: len(e.all), slot: -1}
		e.addresses[addr] = a
		e.all = append(e.all, a)
	}
	return a
}

// note returns the record of an address that somebody claims, or nil if there
// are too many; then the digests differ from now on.
func (e *Election) note(addr netip.Addr) *address {
	if a, ok := e.addresses[addr]; ok || len(e.all) >= maxClaims {
		return a
	}
	return e.record(addr)
}

// discard removes the record of an address that nobody wants or claims.
func (e *Election) discard(a *address) {
	if a.wanted || a.own != nothing || a.told != nothing || len(a.claims) > 0 || a.queued || e.addresses[a.Address] != a {
		return
	}
	delete(e.addresses, a.Address)
	last := e.all[len(e.all)-1]
	e.all[a.place], last.place = last, a.place
	e.all[len(e.all)-1] = nil
	e.all = e.all[:len(e.all)-1]
}

// held says that this node has a, to answer for it now or after a probe.
func (a *address) held() bool { return a.own != nothing && a.Segments != 0 }

// learn takes note of what the claims of a say about strangers. Once there are
// none, it stays what the last said.
func (a *address) learn() {
	if a.own == nothing && len(a.claims) == 0 {
		return
	}
	a.evidence = doubtful
	if a.own.answers() || slices.ContainsFunc(a.claims, func(c claim) bool { return c.hold.answers() }) {
		a.evidence = ours
	}
}

func (a *address) same(c Candidate) bool {
	return a.Segments == c.Segments && a.Eligible == c.Eligible && a.Named == c.Named &&
		(a.Hosts == nil) == (c.Hosts == nil) && slices.Equal(a.Hosts, c.Hosts)
}

// claimed returns how m holds a.
func (a *address) claimed(m *member) hold {
	for i := range a.claims {
		if a.claims[i].by == m {
			return a.claims[i].hold
		}
	}
	return nothing
}

// hears says that m is heard where the address is on-link. An address that is on
// no link here is judged by any.
func (a *address) hears(m *member) bool {
	if a.Segments == 0 {
		return m.Segments != 0
	}
	return m.Segments&a.Segments != 0
}

// enter notes in both indexes and in the digest how m holds a.
func (m *member) enter(a *address, h hold) {
	if h == nothing {
		m.remove(a)
		return
	}
	for i := range a.claims {
		if c := &a.claims[i]; c.by == m {
			m.have.Sum ^= fingerprint(a.Address, c.hold) ^ fingerprint(a.Address, h)
			c.hold = h
			return
		}
	}
	a.claims = append(a.claims, claim{by: m, hold: h, place: len(m.claims)})
	m.claims = append(m.claims, a)
	m.have.Count++
	m.have.Sum ^= fingerprint(a.Address, h)
}

func (m *member) remove(a *address) {
	i := slices.IndexFunc(a.claims, func(c claim) bool { return c.by == m })
	if i < 0 {
		return
	}
	c := a.claims[i]
	last := m.claims[len(m.claims)-1]
	m.claims[c.place] = last
	for j := range last.claims {
		if last.claims[j].by == m {
			last.claims[j].place = c.place
		}
	}
	m.claims[len(m.claims)-1] = nil
	m.claims = m.claims[:len(m.claims)-1]
	m.have.Count--
	m.have.Sum ^= fingerprint(a.Address, c.hold)
	a.claims = slices.Delete(a.claims, i, i+1)
}

// forget removes the claim of a member that is gone.
func (a *address) forget(m *member) {
	a.claims = slices.DeleteFunc(a.claims, func(c claim) bool { return c.by == m })
}

// fingerprint is what a claim adds to Digest.Sum. It is part of the protocol.
func fingerprint(addr netip.Addr, h hold) uint64 {
	switch h {
	case yielding:
		return weight("yielding", addr)
	case tentative:
		return weight("tentative", addr)
	default:
		return weight("claim", addr)
	}
}
