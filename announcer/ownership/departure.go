package ownership

import (
	"time"

	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
)

// departure is that of a node whose addresses are to be taken over.
type departure struct {
	id  election.ID
	why membership.Reason
	// at is when this node was told, heard when it was heard last.
	at, heard time.Time
}

// remembered is for how long it is known whose fault a take-over is.
const remembered = 10 * time.Second

// gone says that a peer is no longer alive.
func (m *mind) gone(now time.Time, id election.ID, why membership.Reason, heard time.Time) {
	if _, ok := m.peers[id]; !ok {
		return
	}
	delete(m.peers, id)
	for node, d := range m.departed {
		if now.Sub(d.at) > remembered {
			delete(m.departed, node)
		}
	}
	m.departed[id.Node] = departure{id: id, why: why, at: now, heard: heard}
	m.election.Gone(now, id)
	m.effects.view = true
}

// taken counts why this node took an address. One that is not answered for yet is
// not taken over.
func (m *mind) taken(now time.Time, r *record) {
	if r.before == "" || r.before == m.self.Node || r.tentative {
		return
	}
	// A node that came back may have owned it since.
	if d, ok := m.departed[r.before]; ok && now.Sub(d.at) <= remembered && !d.at.Before(r.heard) {
		m.counts.failovers++
		if m.effects.failovers == nil {
			m.effects.failovers = make(map[departure]int)
		}
		m.effects.failovers[d]++
		return
	}
	for id := range m.peers {
		if id.Node == r.before {
			m.counts.handovers++
			return
		}
	}
}
