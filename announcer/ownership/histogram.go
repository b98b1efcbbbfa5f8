package ownership

import (
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// bounds are those of a fail-over: by the fast setting, by the default one, and
// by a cluster that is large or in trouble.
func bounds() []time.Duration {
	const ms = time.Millisecond
	return []time.Duration{
		10 * ms, 20 * ms, 35 * ms, 50 * ms, 75 * ms, 90 * ms, 100 * ms, 110 * ms, 125 * ms, 150 * ms,
		200 * ms, 300 * ms, 500 * ms, time.Second, 2 * time.Second, 5 * time.Second,
	}
}

// histogram counts durations.
type histogram struct {
	buckets []uint64 // by bounds, not cumulative, and one for those beyond
	sum     time.Duration
}

// observe counts a duration, so many times.
func (h *histogram) observe(d time.Duration, times int) {
	limits := bounds()
	if h.buckets == nil {
		h.buckets = make([]uint64, len(limits)+1)
	}
	i, _ := slices.BinarySearch(limits, d)
	h.buckets[i] += uint64(times)
	h.sum += d * time.Duration(times)
}

func (h *histogram) sample() *announcer.Histogram {
	limits := bounds()
	is := &announcer.Histogram{Sum: h.sum.Seconds(), Buckets: make([]announcer.Bucket, len(limits))}
	for i, limit := range limits {
		if h.buckets != nil {
			is.Count += h.buckets[i]
		}
		is.Buckets[i] = announcer.Bucket{UpperBound: limit.Seconds(), Count: is.Count}
	}
	if h.buckets != nil {
		is.Count += h.buckets[len(limits)]
	}
	return is
}
