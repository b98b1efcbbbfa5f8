package expose

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

// The targets of the way from a Service's creation to the first answer, in
// milliseconds.
const (
	targetP50 = 150
	targetP99 = 500
)

// Figures sums the runs up: for each family the whole way and its parts.
func Figures(runs []Run) []figure.Figure {
	var figures []figure.Figure
	for _, family := range []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol} {
		part := func(of func(Run) time.Duration) (times []time.Duration) {
			for _, run := range runs {
				if run.Family == family && of(run) > 0 {
					times = append(times, of(run))
				}
			}
			return times
		}
		name := func(part string) string { return fmt.Sprintf("%s, created to %s", family, part) }
		reached := part(func(r Run) time.Duration { return r.Reached })
		first := part(func(r Run) time.Duration { return r.First })
		figures = append(figures,
			figure.Times(name("status written"), part(func(r Run) time.Duration { return r.Status })),
			figure.Times(name("claimed on the segment"), part(func(r Run) time.Duration { return r.Claimed })),
			figure.Times(name("first answer"), reached, figure.AtMost(targetP50), figure.AtMost(targetP99)),
			figure.Times(name("answer to the request sent at once"), first),
			lost(family, len(reached), len(first)))
	}
	return figures
}

// lost is the share of requests that were sent as soon as the status had the
// address, and got no answer: a node that gets one before its kube-proxy has
// the rules goes on to track that connection without them.
func lost(family corev1.IPFamily, sent, answered int) figure.Figure {
	share := 0.0
	if sent > 0 {
		share = 100 * float64(sent-answered) / float64(sent)
	}
	return figure.Single(fmt.Sprintf("%s, requests sent at once that were lost", family), "%", share, sent, nil)
}
