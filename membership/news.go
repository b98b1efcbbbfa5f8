package membership

import (
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
)

// news is what the thread has to tell of a member: how it is now. Of several
// changes only the newest is told if the reader is late.
type news struct {
	id election.ID
	// about is nil if only the digest is new.
	about     *snapshot
	digest    election.Digest
	forgotten bool
}

// snapshot is a member at one moment. It is never changed.
type snapshot struct {
	id                election.ID
	state             announcer.MemberState
	reason            Reason
	since             moment
	heard             moment // last
	standing, leaving bool
	routes            []routeSnapshot
}

type routeSnapshot struct {
	link       int
	source     netip.Addr
	alive      bool
	since      moment
	interval   time.Duration
	multiplier int
	prefixes   []netip.Prefix
	tally      *tally
}

func (m *member) snapshot() *snapshot {
	s := &snapshot{
		id: m.id, state: m.state, reason: m.reason, since: m.since, standing: m.standing, leaving: m.leaving,
		routes: make([]routeSnapshot, 0, len(m.routes)),
	}
	for _, r := range m.routes {
		s.heard = max(s.heard, r.last)
		s.routes = append(s.routes, routeSnapshot{
			link: r.link, source: r.source, alive: r.alive, since: r.since,
			interval: r.interval, multiplier: r.multiplier, prefixes: r.prefixes, tally: r.tally,
		})
	}
	return s
}

// peer is what an Observer is told of a member that is alive.
func (s *snapshot) peer() Peer {
	p := Peer{ID: s.id, Standing: s.standing, Leaving: s.leaving}
	for _, r := range s.routes {
		if r.alive {
			p.Interfaces = append(p.Interfaces, r.link)
			p.Prefixes = append(p.Prefixes, r.prefixes...)
		}
	}
	slices.Sort(p.Interfaces)
	p.Interfaces = slices.Compact(p.Interfaces)
	slices.SortFunc(p.Prefixes, netip.Prefix.Compare)
	p.Prefixes = slices.Compact(p.Prefixes)
	return p
}

// write puts the news into rings until they are full, and reports whether it
// wrote any; what is left stays in the detector.
func (d *detector) write(to *ring[news]) (wrote bool) {
	done := 0
	for _, m := range d.news {
		slot := to.reserve()
		if slot == nil {
			break
		}
		*slot = news{id: m.id, digest: m.digest, forgotten: m.forgotten}
		if m.changed {
			slot.about = m.snapshot()
		}
		m.changed, m.stirred, m.queued = false, false, false
		to.stage()
		done++
	}
	to.publish()
	d.news = slices.Delete(d.news, 0, done)
	return done > 0
}
