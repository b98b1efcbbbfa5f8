package ownership

import (
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
)

// Joined implements membership.Observer.
func (o *Ownership) Joined(p membership.Peer) {
	o.inbox.say(func(m *mind, now time.Time) { m.joined(now, p) })
}

// Gone implements membership.Observer.
func (o *Ownership) Gone(id election.ID, why membership.Reason) {
	heard := lastWord(o.room.View(), id, why)
	o.inbox.say(func(m *mind, now time.Time) { m.gone(now, id, heard) })
}

// Heard implements membership.Observer.
func (o *Ownership) Heard(id election.ID, d election.Digest) {
	o.inbox.say(func(m *mind, now time.Time) { m.heard(now, id, d) })
}

// Received implements membership.Observer.
func (o *Ownership) Received(from election.ID, msg election.Message) {
	o.inbox.mention(func(m *mind, now time.Time) { m.election.Receive(now, from, msg) })
}

// lastWord returns when a member that is gone was heard last: now, as far as is
// known, unless it was silent for as long as it takes to be found dead.
func lastWord(v announcer.View, id election.ID, why membership.Reason) time.Time {
	heard := time.Now()
	for _, member := range v.Members {
		if member.Node != id.Node || member.Incarnation != id.Incarnation {
			continue
		}
		heard = member.Since
		if why == membership.Silent {
			heard = heard.Add(-member.Interval * time.Duration(member.Multiplier))
		}
	}
	return heard
}
