package membership

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// View returns the membership as this node sees it. Who is alone or isolated is
// not decided here.
func (m *Membership) View() announcer.View {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := announcer.View{
		Node: m.options.Node, Incarnation: m.thread.incarnation.Load(), Keyed: m.keyed.Load(), Members: []announcer.Member{},
	}
	if how := m.thread.scheduling.Load(); how != nil {
		v.Scheduling = *how
	}
	for _, e := range m.roster.members {
		if e.about != nil {
			v.Members = append(v.Members, m.rows(e)...)
		}
	}
	slices.SortFunc(v.Members, func(a, b announcer.Member) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Incarnation, b.Incarnation), cmp.Compare(a.Interface, b.Interface))
	})
	v.Complaints = m.roster.complaintsAt(time.Now())
	return v
}

// Sources returns the addresses by which members of that name that are alive are heard
// on the interface of that index.
func (m *Membership) Sources(node string, index int) (all []netip.Addr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, e := range m.roster.members {
		if id.Node != node || !e.alive() {
			continue
		}
		for _, r := range e.about.routes {
			if r.alive && r.link == index {
				all = append(all, r.source)
			}
		}
	}
	return all
}

// rows are those of a member, one for each interface.
func (m *Membership) rows(e *entry) []announcer.Member {
	byLink := make(map[int]*announcer.Member)
	for _, r := range e.about.routes {
		row := byLink[r.link]
		if row == nil {
			row = &announcer.Member{
				Node: e.about.id.Node, Incarnation: e.about.id.Incarnation, Interface: m.roster.names[r.link],
				State: announcer.Dead, Claims: int(e.digest.Count), Standing: e.about.standing,
			}
			if e.about.state == announcer.Gone {
				row.State = announcer.Gone
			}
			byLink[r.link] = row
		}
		row.Lost += r.tally.lost.Load()
		if alive := row.State == announcer.Alive; alive && !r.alive {
			continue
		}
		since := m.begin.Add(r.since)
		if row.Since.IsZero() || r.alive && row.State != announcer.Alive || since.Before(row.Since) {
			row.Since = since
		}
		if r.alive {
			row.State = announcer.Alive
		}
		row.Source, row.Interval, row.Multiplier = r.source, r.interval, r.multiplier
	}
	rows := make([]announcer.Member, 0, len(byLink))
	for _, row := range byLink {
		rows = append(rows, *row)
	}
	return rows
}

// Samples returns the metrics.
func (m *Membership) Samples() []announcer.Sample {
	all := m.counts.samples()
	type group struct {
		link  string
		state announcer.MemberState
	}
	groups := make(map[group]int)
	m.mu.Lock()
	for _, i := range m.wanted.interfaces {
		if i.Up {
			groups[group{i.Name, announcer.Alive}] += 0
			groups[group{i.Name, announcer.Dead}] += 0
		}
	}
	m.mu.Unlock()
	for _, row := range m.View().Members {
		groups[group{row.Interface, row.State}]++
	}
	keys := make([]group, 0, len(groups))
	for g := range groups {
		keys = append(keys, g)
	}
	slices.SortFunc(keys, func(a, b group) int { return cmp.Or(cmp.Compare(a.link, b.link), cmp.Compare(a.state, b.state)) })
	for _, g := range keys {
		all = append(all, announcer.Sample{Metric: "herald_members", Interface: g.link, State: string(g.state), Value: float64(groups[g])})
	}
	return all
}

// complaintTime is how long a complaint stands after it was last made.
const complaintTime = time.Minute

func (r *roster) complaintsAt(now time.Time) []string {
	var all []string
	for text, at := range r.complaints {
		if now.Sub(at) < complaintTime {
			all = append(all, text)
		} else {
			delete(r.complaints, text)
		}
	}
	slices.Sort(all)
	return all
}

// maxComplaints bounds what forgers may have listed.
const maxComplaints = 16

func (r *roster) complain(text string, now time.Time) {
	if _, known := r.complaints[text]; known || len(r.complaints) < maxComplaints {
		r.complaints[text] = now
	}
}

// complain notes, and logs now and then, what somebody has to mend.
func (d *desk) complain(c complaint) {
	text := fmt.Sprintf("two nodes are named %s: %s and %s", c.node, c.source, c.other)
	if c.own {
		text = fmt.Sprintf("two nodes are named %s: this one and %s", c.node, c.source)
	}
	d.mu.Lock()
	d.roster.complain(text, time.Now())
	d.mu.Unlock()
	d.quiet.log(d.log, "name "+c.node, "two nodes have one name", "node", c.node, "source", c.source, "other", c.other)
}
