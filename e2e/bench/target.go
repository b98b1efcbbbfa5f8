package main

import (
	"fmt"
	"strings"
)

// target is a limit of a figure.
type target struct {
	AtMost  *float64 `json:"atMost,omitempty"`
	AtLeast *float64 `json:"atLeast,omitempty"`
}

func atMost(limit float64) *target  { return &target{AtMost: &limit} }
func atLeast(limit float64) *target { return &target{AtLeast: &limit} }

func (t *target) String() string {
	if t.AtMost != nil {
		return fmt.Sprintf("at most %g", *t.AtMost)
	}
	return fmt.Sprintf("at least %g", *t.AtLeast)
}

func (t *target) met(value float64) bool {
	if t.AtMost != nil {
		return value <= *t.AtMost
	}
	return value >= *t.AtLeast
}

// The targets of the way from a Service's creation to the first answer, in
// milliseconds.
const (
	targetP50 = 150
	targetP99 = 500
)

// aimed adds the target to a figure of a Go benchmark that has one: to allocate
// and to release an address with a million held, 1 µs; to answer, half of the
// kernel's rate.
func aimed(f figure) figure {
	switch {
	case f.Unit == "of-kernel":
		return f.against(atLeast(0.5))
	case strings.HasSuffix(f.Name, many) && strings.HasPrefix(f.Unit, "p50-ns/"):
		return f.against(atMost(1000))
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
func ratios(figures []figure) []figure {
	type key struct{ name, unit string }
	small := map[key]float64{}
	for _, f := range figures {
		if name, ok := strings.CutSuffix(f.Name, few); ok {
			small[key{name, f.Unit}] = f.Value
		}
	}
	var found []figure
	for _, f := range figures {
		name, ok := strings.CutSuffix(f.Name, many)
		base := small[key{name, f.Unit}]
		if !ok || base == 0 {
			continue
		}
		found = append(found, figure{
			Name: fmt.Sprintf("%s, 1,000,000 held : 1,000, %s", name, f.Unit), Value: f.Value / base, Unit: "ratio", Count: f.Count,
		}.against(atMost(2)))
	}
	return found
}
