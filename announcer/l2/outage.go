package l2

import "time"

// A port that failed is left alone for firstOutage at first, for twice as long
// each time that it fails again soon, and for longestOutage at most.
const (
	firstOutage   = time.Second
	longestOutage = time.Minute
)

// outages are those of ports, also those that are over, for longestOutage.
type outages map[portKey]outage

type outage struct {
	until time.Time
	wait  time.Duration
	over  bool
}

// begin notes that a port failed, and returns until when it is left alone.
func (all outages) begin(now time.Time, key portKey) (until time.Time) {
	wait := firstOutage
	if last, again := all[key]; again {
		wait = min(2*last.wait, longestOutage)
	}
	until = now.Add(wait)
	all[key] = outage{until: until, wait: wait}
	return until
}

// end returns the ports whose outage is over, once.
func (all outages) end(now time.Time) []portKey {
	var ended []portKey
	for key, o := range all {
		switch {
		case now.Before(o.until):
		case !o.over:
			o.over = true
			all[key] = o
			ended = append(ended, key)
		case !now.Before(o.until.Add(longestOutage)):
			delete(all, key)
		}
	}
	return ended
}

// next returns when an outage ends; ok is false if there is none.
func (all outages) next() (at time.Time, ok bool) {
	for _, o := range all {
		if !o.over && (!ok || o.until.Before(at)) {
			at, ok = o.until, true
		}
	}
	return at, ok
}
