package controlplane

import (
	"slices"
	"time"

	"github.com/heraldlb/herald/e2e/plane"
)

// period is a time in which something was so.
type period struct{ from, to time.Time }

// excuse is a time in which a host cannot know, or say, that another has the VIP.
type excuse struct {
	host string
	period
}

// end is when what a host had ended, though its kernel has it still: nobody answers for it
// any more.
type end struct {
	host string
	at   time.Time
}

// ended cuts off what hosts had when it ended.
func ended(spans []plane.Span, ends []end) []plane.Span {
	spans = slices.Clone(spans)
	for i, s := range spans {
		for _, e := range ends {
			if e.host == s.Host && !e.at.Before(s.From) && e.at.Before(spans[i].To) {
				spans[i].To = e.at
			}
		}
	}
	return spans
}

// dual returns for how long two hosts had a VIP at once, neither of them excused: each
// time that it was so without a break, those apart that began where an excuse ended.
func dual(spans []plane.Span, excuses []excuse) (others, healed []time.Duration) {
	for _, o := range plane.Overlaps(spans) {
		left := []period{overlap(o)}
		for _, e := range excuses {
			if e.host == o.A.Host || e.host == o.B.Host {
				left = without(left, e.period)
			}
		}
		for _, p := range left {
			if slices.ContainsFunc(excuses, func(e excuse) bool { return e.to.Equal(p.from) }) {
				healed = append(healed, p.to.Sub(p.from))
			} else {
				others = append(others, p.to.Sub(p.from))
			}
		}
	}
	return others, healed
}

func overlap(o plane.Overlap) period {
	from := o.A.From
	if o.B.From.After(from) {
		from = o.B.From
	}
	return period{from, from.Add(o.Long)}
}

// without takes a period off others.
func without(all []period, off period) (left []period) {
	for _, p := range all {
		if !off.from.Before(p.to) || !p.from.Before(off.to) {
			left = append(left, p)
			continue
		}
		if p.from.Before(off.from) {
			left = append(left, period{p.from, off.from})
		}
		if off.to.Before(p.to) {
			left = append(left, period{off.to, p.to})
		}
	}
	return left
}
