package figure

import (
	"math"
	"slices"
	"time"
)

// Times sums up times that measure the same, in milliseconds: p50, p99 and the
// maximum, the first ones against their targets. Of no times they are 0.
func Times(name string, times []time.Duration, targets ...*Target) Figure {
	values := make([]float64, len(times))
	for i, t := range times {
		values[i] = float64(t.Microseconds()) / 1000
	}
	return Quantiles(name, "ms", values, targets...)
}

// Quantiles sums up values that measure the same, as Times does.
func Quantiles(name, unit string, values []float64, targets ...*Target) Figure {
	sorted := slices.Sorted(slices.Values(values))
	f := Figure{Name: name, Unit: unit, Count: len(values)}
	for _, of := range []struct {
		name string
		q    float64
	}{{"p50", 0.50}, {"p99", 0.99}, {"max", 1}} {
		f.Values = append(f.Values, Value{Of: of.name, Value: nearestRank(sorted, of.q)})
	}
	for i, target := range targets {
		f.aim(i, target)
	}
	return f
}

func nearestRank(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}
