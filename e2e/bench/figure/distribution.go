package figure

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Distribution is a list of times that measure the same.
type Distribution struct {
	name  string
	times []time.Duration // sorted
}

// NewDistribution returns the distribution of the times.
func NewDistribution(name string, times []time.Duration) Distribution {
	return Distribution{name: name, times: slices.Sorted(slices.Values(times))}
}

// Count returns how many times there are.
func (d Distribution) Count() int { return len(d.times) }

// Quantile returns the nearest-rank quantile in milliseconds; that of 1 is the
// maximum. Of nothing it is 0, with a count of 0.
func (d Distribution) Quantile(q float64) Figure {
	f := Figure{Name: fmt.Sprintf("%s, p%g", d.name, 100*q), Unit: "ms", Count: len(d.times)}
	if q == 1 {
		f.Name = d.name + ", max"
	}
	if len(d.times) > 0 {
		rank := int(math.Ceil(q*float64(len(d.times)))) - 1
		f.Value = float64(d.times[rank].Microseconds()) / 1000
	}
	return f
}

// Summary returns p50, p99 and the maximum, the first two against their targets;
// nil is none.
func (d Distribution) Summary(p50, p99 *Target) []Figure {
	figures := []Figure{d.Quantile(0.50), d.Quantile(0.99), d.Quantile(1)}
	for i, target := range []*Target{p50, p99} {
		if target != nil {
			figures[i] = figures[i].Against(target)
		}
	}
	return figures
}
