package membership

import (
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
)

// roster is what the thread told of the members, and what is to be mended.
type roster struct {
	members map[election.ID]*entry
	// names of the interfaces that there ever were.
	names      map[int]string
	complaints map[string]time.Time
	// begin is when moments begin.
	begin time.Time
}

type entry struct {
	about  *snapshot
	digest election.Digest
}

func newRoster(begin time.Time) roster {
	return roster{
		members: make(map[election.ID]*entry), names: make(map[int]string), complaints: make(map[string]time.Time), begin: begin,
	}
}

func (e *entry) alive() bool { return e != nil && e.about != nil && e.about.state == announcer.Alive }

// route returns one of those that a member is heard on, another for each turn.
func (r *roster) route(id election.ID, turn uint64) (routeSnapshot, bool) {
	e := r.members[id]
	if !e.alive() {
		return routeSnapshot{}, false
	}
	alive := slices.DeleteFunc(slices.Clone(e.about.routes), func(r routeSnapshot) bool { return !r.alive })
	if len(alive) == 0 {
		return routeSnapshot{}, false
	}
	return alive[turn%uint64(len(alive))], true
}

// apply takes in news, and returns what the observer is to be told.
func (r *roster) apply(n *news) (tell func(Observer)) {
	before := r.members[n.id]
	was, digest := before.alive(), election.Digest{}
	after := &entry{digest: n.digest}
	if before != nil {
		after.about, digest = before.about, before.digest
	}
	if n.about != nil {
		after.about = n.about
	}
	r.members[n.id] = after
	if n.forgotten {
		delete(r.members, n.id)
	}
	switch is := after.alive(); {
	case was && !is:
		return func(o Observer) { o.Gone(n.id, after.about.reason, r.begin.Add(after.about.heard)) }
	case !is:
		return nil
	default:
		var old, peer Peer
		if was {
			old = before.about.peer()
		}
		peer = after.about.peer()
		joined, heard := !was || !old.equal(&peer), !was || digest != n.digest
		return func(o Observer) {
			if joined {
				o.Joined(peer)
			}
			if heard {
				o.Heard(n.id, after.digest)
			}
		}
	}
}

func (p *Peer) equal(o *Peer) bool {
	return p.ID == o.ID && p.Standing == o.Standing && p.Leaving == o.Leaving &&
		slices.Equal(p.Interfaces, o.Interfaces) && slices.Equal(p.Prefixes, o.Prefixes)
}
