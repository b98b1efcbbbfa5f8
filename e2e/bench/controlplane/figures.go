package controlplane

import (
	"slices"
	"time"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

// Figures sums up.
func Figures(result Result) (figures []figure.Figure) {
	for _, s := range systems(Options{}) {
		for _, f := range s.faults {
			figures = append(figures, ofFault(s, f, result.Runs)...)
		}
		if s.sequences {
			figures = append(figures, ofSequences(s, result.Sequences)...)
		}
	}
	return figures
}

func ofFault(s system, f fault, runs []Run) []figure.Figure {
	var outages []time.Duration
	var failed []float64
	for _, run := range runs {
		if run.System == s.name && run.Fault == f.name {
			outages, failed = append(outages, run.Outage), append(failed, float64(run.Failed))
		}
	}
	if len(outages) == 0 {
		return nil
	}
	name := "control plane, " + s.name + ", " + f.name + ", "
	var none []*figure.Target
	if f.orderly {
		none = []*figure.Target{nil, nil, figure.AtMost(0)}
	}
	return []figure.Figure{
		figure.Times(name+"outage", outages, f.targets()...),
		figure.Quantiles(name+"failed", "requests", failed, none...),
	}
}

func ofSequences(s system, sequences []Sequence) []figure.Figure {
	var longest, handOver, recovered []time.Duration
	dual, lost := 0, 0
	for _, sequence := range sequences {
		if sequence.System != s.name || len(sequence.Spans) == 0 {
			continue
		}
		if sequence.Recovered > 0 {
			recovered = append(recovered, sequence.Recovered)
		} else {
			lost++
		}
		handOver = append(handOver, sequence.HandOver...)
		if len(sequence.Dual) == 0 {
			longest = append(longest, 0)
			continue
		}
		dual++
		longest = append(longest, slices.Max(sequence.Dual))
	}
	if len(longest) == 0 {
		return nil
	}
	name := "control plane, " + s.name + ", random faults, "
	end := []figure.Figure{figure.Single(name+"sequences without recovery", "sequences", float64(lost), len(longest), figure.AtMost(0))}
	if len(recovered) > 0 {
		end = append(end, figure.Times(name+"recovered", recovered))
	}
	if s.dual == 0 {
		return append([]figure.Figure{
			figure.Single(name+"sequences with two holders at once", "sequences", float64(dual), len(longest), figure.AtMost(0)),
		}, end...)
	}
	limit := figure.AtMost(float64(s.dual) / float64(time.Millisecond))
	return append([]figure.Figure{
		figure.Times(name+"two holders after a heal", longest, nil, nil, limit),
		figure.Times(name+"two holders in a hand-over", handOver),
	}, end...)
}
