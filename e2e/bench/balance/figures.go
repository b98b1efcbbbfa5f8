package balance

import (
	"slices"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

// Figures sums a result up. What counts is the median of rounds, each beside that
// of the other routes right before or after.
func Figures(r Result) []figure.Figure {
	var figures []figure.Figure
	for _, bulk := range []struct {
		name  string
		rates map[string][]float64
	}{{"a Gbit a second", r.Wire}, {"no limit but the processor", r.Unlimited}} {
		for _, name := range names() {
			figures = append(figures, figure.Single("balance, bulk, "+bulk.name+", "+name, "MB/s", median(bulk.rates[name])/1e6, len(bulk.rates[name]), nil))
		}
		figures = append(figures,
			ratio("balance, bulk, "+bulk.name+", "+herald+" : "+direct, bulk.rates[herald], bulk.rates[direct], aimed(bulk.name == "a Gbit a second", 0.95)),
			ratio("balance, bulk, "+bulk.name+", "+herald+" : "+haproxy, bulk.rates[herald], bulk.rates[haproxy], aimed(bulk.name != "a Gbit a second", 1)),
		)
	}
	p99 := make(map[string]float64)
	for _, name := range names() {
		f := figure.Times("balance, request on a new connection, "+name, r.Latency[name])
		p99[name] = f.Values[1].Value
		figures = append(figures, f)
	}
	count := len(r.Latency[herald])
	return append(figures,
		figure.Single("balance, p99 of requests, "+direct+" : "+herald, "ratio", quotient(p99[direct], p99[herald]), count, figure.AtLeast(0.95)),
		figure.Single("balance, p99 of requests, "+haproxy+" : "+herald, "ratio", quotient(p99[haproxy], p99[herald]), count, figure.AtLeast(1)),
	)
}

func names() []string { return []string{direct, herald, haproxy} }

func aimed(is bool, least float64) *figure.Target {
	if is {
		return figure.AtLeast(least)
	}
	return nil
}

// ratio is the median of those of each round.
func ratio(name string, of, to []float64, target *figure.Target) figure.Figure {
	var all []float64
	for i := range min(len(of), len(to)) {
		all = append(all, quotient(of[i], to[i]))
	}
	return figure.Single(name, "ratio", median(all), len(all), target)
}

func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
