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
		part := func(name string, of func(Run) time.Duration) figure.Distribution {
			var times []time.Duration
			for _, run := range runs {
				if run.Family == family && of(run) > 0 {
					times = append(times, of(run))
				}
			}
			return figure.NewDistribution(fmt.Sprintf("%s, created to %s", family, name), times)
		}
		status := part("status written", func(r Run) time.Duration { return r.Status })
		claimed := part("claimed on the segment", func(r Run) time.Duration { return r.Claimed })
		reached := part("first answer", func(r Run) time.Duration { return r.Reached })
		first := part("answer to the request sent at once", func(r Run) time.Duration { return r.First })
		figures = append(figures,
			status.Quantile(0.50), status.Quantile(0.99),
			claimed.Quantile(0.50), claimed.Quantile(0.99),
			reached.Quantile(0.50).Against(figure.AtMost(targetP50)),
			reached.Quantile(0.99).Against(figure.AtMost(targetP99)),
			reached.Quantile(1),
			first.Quantile(0.50), first.Quantile(0.99),
			lost(family, reached.Count(), first.Count()))
	}
	return figures
}

// lost is the share of requests that were sent as soon as the status had the
// address, and got no answer: a node that gets one before its kube-proxy has
// the rules goes on to track that connection without them.
func lost(family corev1.IPFamily, sent, answered int) figure.Figure {
	f := figure.Figure{Name: fmt.Sprintf("%s, requests sent at once that were lost", family), Unit: "%", Count: sent}
	if sent > 0 {
		f.Value = 100 * float64(sent-answered) / float64(sent)
	}
	return f
}
