package realtime

import (
	"sync/atomic"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// Delays is a histogram of how late something was.
type Delays struct {
	counts [len(delayBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

// delayBounds are the upper bounds of Delays' buckets.
var delayBounds = [...]time.Duration{ //nolint:gochecknoglobals // an array cannot be a constant
	100 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second,
}

// Observe counts one.
func (d *Delays) Observe(delay time.Duration) {
	delay = max(delay, 0)
	i := 0
	for i < len(delayBounds) && delay > delayBounds[i] {
		i++
	}
	d.counts[i].Add(1)
	d.sum.Add(int64(delay))
}

// Histogram returns all that were counted.
func (d *Delays) Histogram() *announcer.Histogram {
	h := &announcer.Histogram{Sum: time.Duration(d.sum.Load()).Seconds()}
	for i := range d.counts {
		h.Count += d.counts[i].Load()
		if i < len(delayBounds) {
			h.Buckets = append(h.Buckets, announcer.Bucket{UpperBound: delayBounds[i].Seconds(), Count: h.Count})
		}
	}
	return h
}
