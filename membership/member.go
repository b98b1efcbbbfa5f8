package membership

import (
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership/wire"
)

// member is one run of another announcer.
type member struct {
	id     election.ID
	state  announcer.MemberState
	reason Reason
	since  moment
	routes []*route
	// sequence is the highest heard on any route; what the member says is that of
	// the heartbeat which had it.
	sequence          uint64
	standing, leaving bool
	digest            election.Digest
	window            window
	// superseded is when a higher incarnation of its name was heard first, 0 if it
	// was heard itself since.
	superseded moment

	// changed: what is told of it is other than before; stirred: its digest is.
	changed, stirred bool
	queued           bool
	forgotten        bool
}

// route is how a member is heard: on one interface, by one family.
type route struct {
	link   int
	source netip.Addr
	alive  bool
	since  moment
	last   moment
	// sequence is the last heard; it does not go back.
	sequence   uint64
	interval   time.Duration
	multiplier int
	prefixes   []netip.Prefix
	tally      *tally

	// asked is when it was last asked if it still listens, 0 if not since it was heard.
	asked moment
	// refused is when its host said that nobody listens there. rejects: it was
	// heard after that, so some firewall says so.
	refused moment
	rejects bool
	// rival is another source that speaks for the member, and rivalled when it last did.
	rival    netip.Addr
	rivalled moment
}

func newMember(id election.ID) *member {
	return &member{id: id, state: announcer.Dead}
}

func (m *member) alive() bool { return m.state == announcer.Alive }

func (m *member) routeOn(link int, is4 bool) *route {
	for _, r := range m.routes {
		if r.link == link && r.source.Is4() == is4 {
			return r
		}
	}
	return nil
}

func (m *member) addRoute(h *hearing) *route {
	r := &route{link: h.link, source: h.source, tally: &tally{traffic: h.traffic}}
	m.routes = append(m.routes, r)
	m.changed = true
	return r
}

// judgeRoute says if a heartbeat may be taken; r is the route it came by, nil if
// that is new.
func (m *member) judgeRoute(r *route, h *hearing) drop {
	switch {
	case r != nil && r.source != h.source && r.alive && h.at < r.suspicious(0):
		return otherSource
	case r != nil && h.sequence == r.sequence:
		return duplicate
	case r != nil && h.sequence < r.sequence, h.sequence+disorder < m.sequence:
		return drop(wire.Replayed)
	}
	return taken
}

// hear takes what the newest heartbeat says of the member.
func (m *member) hear(h *hearing) {
	m.sequence = h.sequence
	if m.standing != h.standing || m.leaving != h.leaving {
		m.standing, m.leaving, m.changed = h.standing, h.leaving, true
	}
	if m.digest != h.digest {
		m.digest, m.stirred = h.digest, true
	}
}

// hear takes in a heartbeat that came by this route.
func (r *route) hear(h *hearing) {
	if r.alive {
		r.tally.count(h.sequence-r.sequence-1, h.at-r.last-r.interval)
	}
	if r.refused != 0 && h.at > r.refused {
		r.rejects = true
	}
	r.sequence, r.last, r.asked = h.sequence, h.at, 0
}

// says takes what a heartbeat says of the route, and reports if it is new.
func (r *route) says(h *hearing) bool {
	if r.source == h.source && r.interval == h.interval && r.multiplier == h.multiplier && slices.Equal(r.prefixes, h.prefixes) {
		return false
	}
	r.source, r.interval, r.multiplier = h.source, h.interval, h.multiplier
	if !slices.Equal(r.prefixes, h.prefixes) {
		r.prefixes = slices.Clone(h.prefixes) // never changed: it is handed out
	}
	return true
}

// suspicious is when a silence is long enough to ask about: a heartbeat is late
// by half an interval. A silence before hold does not count.
func (r *route) suspicious(hold moment) moment {
	return max(r.last, hold) + r.interval + r.interval/2
}

// deadline is when a silence is long enough.
func (r *route) deadline(hold moment) moment {
	return max(r.last+r.interval*time.Duration(r.multiplier), r.suspicious(hold))
}

func (m *member) reachable() bool {
	return slices.ContainsFunc(m.routes, func(r *route) bool { return r.alive })
}

func (m *member) speaksFrom(source netip.Addr) bool {
	return slices.ContainsFunc(m.routes, func(r *route) bool { return r.source == source })
}
