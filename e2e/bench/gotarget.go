package main

import (
	"fmt"
	"strings"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

// aimed adds the target to a figure of a Go benchmark that has one: to allocate
// and to release an address with a million held, 1 µs; to answer, half of the
// kernel's rate.
func aimed(f figure.Figure) figure.Figure {
	switch {
	case f.Unit == "of-kernel":
		return f.Against(figure.AtLeast(0.5))
	case strings.HasSuffix(f.Name, many) && strings.HasPrefix(f.Unit, "p50-ns/"):
		return f.Against(figure.AtMost(1000))
	default:
		return f
	}
}

// How the names of ipam's benchmarks end: how many addresses are held.
const (
	few  = "/held=1000"
	many = "/held=1000000"
)

// ratios compares, for each of ipam's benchmarks, a million addresses held with
// a thousand: at most twice as long.
func ratios(figures []figure.Figure) []figure.Figure {
	type key struct{ name, unit string }
	small := map[key]float64{}
	for _, f := range figures {
		if name, ok := strings.CutSuffix(f.Name, few); ok {
			small[key{name, f.Unit}] = f.Values[0].Value
		}
	}
	var found []figure.Figure
	for _, f := range figures {
		name, ok := strings.CutSuffix(f.Name, many)
		base := small[key{name, f.Unit}]
		if !ok || base == 0 {
			continue
		}
		name = fmt.Sprintf("%s, 1,000,000 held : 1,000, %s", name, f.Unit)
		found = append(found, figure.Single(name, "ratio", f.Values[0].Value/base, f.Count, figure.AtMost(2)))
	}
	return found
}
