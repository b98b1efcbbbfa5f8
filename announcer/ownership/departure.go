package ownership

import (
	"time"

	"github.com/heraldlb/herald/election"
)

// departure is that of a node whose addresses are to be taken over.
type departure struct {
	// heard is its last word, at when it counted as gone.
	heard, at time.Time
}

// remembered is for how long it is known whose fault a take-over is.
const remembered = 10 * time.Second

// gone says that a peer is no longer alive, and when its last word was heard.
func (m *mind) gone(now time.Time, id election.ID, heard time.Time) {
	if _, ok := m.peers[id]; !ok {
		return
	}
	delete(m.peers, id)
	for node, d := range m.departed {
		if now.Sub(d.at) > remembered {
			delete(m.departed, node)
		}
	}
	m.departed[id.Node] = departure{heard: heard, at: now}
	m.election.Gone(now, id)
	m.effects.view = true
}

// taken counts why this node took an address.
func (m *mind) taken(now time.Time, r *record) {
	if r.before == "" || r.before == m.self.Node {
		return
	}
	if d, ok := m.departed[r.before]; ok && now.Sub(d.at) <= remembered {
		m.counts.failovers++
		m.effects.lastWords = append(m.effects.lastWords, d.heard)
		return
	}
	for id := range m.peers {
		if id.Node == r.before {
			m.counts.handovers++
			return
		}
	}
}
