package membership

import (
	"net/netip"

	"github.com/heraldlb/herald/announcer"
)

// judge finds those who were silent for too long. All that was received until
// now has been heard before.
func (d *detector) judge(now moment) {
	d.forgetOld(now)
	for i := 0; i < len(d.living); {
		m := d.living[i]
		why := d.judgeRoutes(m, now)
		switch {
		case !m.reachable():
			d.bury(m, announcer.Dead, why, now) // it is no longer among the living
		case why != "":
			m.changed = true
			d.tell(m)
			i++
		default:
			i++
		}
	}
}

// judgeRoutes returns why a route of the member died, "" if none did.
func (d *detector) judgeRoutes(m *member, now moment) (why Reason) {
	for _, r := range m.routes {
		if !r.alive || now < r.suspicious(d.hold) {
			continue
		}
		switch {
		case m.superseded != 0:
			why = Superseded
		case now >= r.deadline(d.hold):
			why = Silent
		case r.refused > r.last && !r.rejects:
			why = Refused
		default:
			// Again after each interval: a process may take its time to die.
			if !r.rejects && (r.asked == 0 || now >= r.asked+r.interval) {
				r.asked = now
				d.probes = append(d.probes, probe{link: r.link, target: r.source})
			}
			continue
		}
		r.alive, r.since = false, now
	}
	return why
}

// next is when judge may find something; ok is false if nobody is alive. One who
// is patient asks those who are late an interval later: by then they were heard, if
// he looked meanwhile.
func (d *detector) next(patient bool) (at moment, ok bool) {
	for _, m := range d.living {
		for _, r := range m.routes {
			if !r.alive {
				continue
			}
			due := r.suspicious(d.hold)
			switch {
			case r.rejects:
				due = r.deadline(d.hold)
			case r.asked != 0:
				due = max(due, min(r.asked+r.interval, r.deadline(d.hold)))
			case patient:
				due = min(due+r.interval, r.deadline(d.hold))
			}
			if !ok || due < at {
				at, ok = due, true
			}
		}
	}
	return at, ok
}

// suspend is called when this node may have missed something: silence counts
// from now.
func (d *detector) suspend(now moment) { d.hold = now }

// refused is called when the host of target says that nobody listens there.
func (d *detector) refused(now moment, link int, target netip.Addr) {
	for _, m := range d.living {
		for _, r := range m.routes {
			if r.link == link && r.source == target {
				r.refused = now
			}
		}
	}
}
