package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// figure is one measured value beside what is aimed at.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Count is how many measurements the value stands for.
	Count int `json:"count"`
	// Target is what is aimed at; Met says whether it is met. Most figures
	// have none: they explain others.
	Target *target `json:"target,omitempty"`
	Met    *bool   `json:"met,omitempty"`
}

func (f figure) against(t *target) figure {
	met := t.met(f.Value)
	f.Target, f.Met = t, &met
	return f
}

// exposures sums the runs up: for each family the whole way and its parts.
func exposures(runs []run) []figure {
	var figures []figure
	for _, family := range []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol} {
		part := func(name string, of func(run) time.Duration) distribution {
			d := distribution{name: fmt.Sprintf("%s, created to %s", family, name)}
			for _, run := range runs {
				if run.Family == family && of(run) > 0 {
					d.times = append(d.times, of(run))
				}
			}
			slices.Sort(d.times)
			return d
		}
		status := part("status written", func(r run) time.Duration { return r.Status })
		claimed := part("claimed on the segment", func(r run) time.Duration { return r.Claimed })
		reached := part("first answer", func(r run) time.Duration { return r.Reached })
		first := part("answer to the request sent at once", func(r run) time.Duration { return r.First })
		figures = append(figures,
			status.quantile(0.50), status.quantile(0.99),
			claimed.quantile(0.50), claimed.quantile(0.99),
			reached.quantile(0.50).against(atMost(targetP50)),
			reached.quantile(0.99).against(atMost(targetP99)),
			reached.quantile(1),
			first.quantile(0.50), first.quantile(0.99),
			lost(family, len(reached.times), len(first.times)))
	}
	return figures
}

// lost is the share of requests that were sent as soon as the status had the
// address, and got no answer: a node that gets one before its kube-proxy has
// the rules goes on to track that connection without them.
func lost(family corev1.IPFamily, sent, answered int) figure {
	f := figure{Name: fmt.Sprintf("%s, requests sent at once that were lost", family), Unit: "%", Count: sent}
	if sent > 0 {
		f.Value = 100 * float64(sent-answered) / float64(sent)
	}
	return f
}

// distribution is a sorted list of times that measure the same.
type distribution struct {
	name  string
	times []time.Duration
}

// quantile returns the nearest-rank quantile; the last one is the maximum. Of
// nothing it is 0, with a count of 0.
func (d distribution) quantile(q float64) figure {
	f := figure{Name: fmt.Sprintf("%s, p%g", d.name, 100*q), Unit: "ms", Count: len(d.times)}
	if q == 1 {
		f.Name = d.name + ", max"
	}
	if len(d.times) > 0 {
		rank := int(math.Ceil(q*float64(len(d.times)))) - 1
		f.Value = float64(d.times[rank].Microseconds()) / 1000
	}
	return f
}

// writeTable writes one table of all figures.
func writeTable(to io.Writer, figures []figure) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nFIGURE\tVALUE\tUNIT\tCOUNT\tTARGET\t")
	for _, f := range figures {
		format := "%s\t%.4g\t%s\t%d\t"
		if f.Value >= 10_000 {
			format = "%s\t%.0f\t%s\t%d\t" // no exponent
		}
		fmt.Fprintf(table, format, f.Name, f.Value, f.Unit, f.Count)
		switch {
		case f.Target == nil:
			fmt.Fprintln(table, "\t")
		case *f.Met:
			fmt.Fprintf(table, "%s\tmet\n", f.Target)
		default:
			fmt.Fprintf(table, "%s\tMISSED\n", f.Target)
		}
	}
	return table.Flush()
}

// report is what goes to the JSON file.
type report struct {
	Figures []figure `json:"figures"`
	Runs    []run    `json:"runs"`
}

func writeJSON(path string, report report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
