package ownership

import (
	"time"

	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
)

// Joined implements membership.Observer.
func (o *Ownership) Joined(p membership.Peer) {
	o.inbox.say(func(m *mind, now time.Time) { m.joined(now, p) })
}

// Gone implements membership.Observer.
func (o *Ownership) Gone(id election.ID, why membership.Reason, heard time.Time) {
	o.inbox.say(func(m *mind, now time.Time) { m.gone(now, id, why, heard) })
}

// Heard implements membership.Observer.
func (o *Ownership) Heard(id election.ID, d election.Digest) {
	o.inbox.say(func(m *mind, now time.Time) { m.heard(now, id, d) })
}

// Renumbered implements membership.Observer.
func (o *Ownership) Renumbered(incarnation uint64) {
	o.inbox.say(func(m *mind, now time.Time) { m.renumber(now, incarnation) })
}

// Listening implements membership.Observer.
func (o *Ownership) Listening(interfaces []int) {
	o.inbox.say(func(m *mind, now time.Time) { m.setListening(now, interfaces) })
}

// Received implements membership.Observer.
func (o *Ownership) Received(from election.ID, msg election.Message) {
	o.inbox.mention(func(m *mind, now time.Time) { m.election.Receive(now, from, msg) })
}
