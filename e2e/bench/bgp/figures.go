package bgp

import (
	"fmt"
	"time"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

// CrashFigures sums crashes up, by system and family.
func CrashFigures(crashes []Crash) []figure.Figure {
	var order []string
	groups := map[string][]Crash{}
	for _, crash := range crashes {
		name := fmt.Sprintf("%s, crash, remote by udp flows, %s", crash.System, crash.Family())
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name] = append(groups[name], crash)
	}
	var figures []figure.Figure
	for _, name := range order {
		var harms []time.Duration
		var lost []float64
		for _, crash := range groups[name] {
			harms = append(harms, crash.Harm())
			lost = append(lost, float64(crash.Lost))
		}
		figures = append(figures, figure.Times(name+", outage", harms), figure.Quantiles(name+", requests lost", "requests", lost))
	}
	return figures
}

// TableFigures sums up how long many routes took, by system, their number and what they
// were told after.
func TableFigures(tables []Table) []figure.Figure {
	var order []string
	groups := map[string][]Table{}
	for _, table := range tables {
		name := fmt.Sprintf("%s, %d routes by BGP, %s", table.System, table.Addresses, table.Begun)
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name] = append(groups[name], table)
	}
	var figures []figure.Figure
	for _, name := range order {
		part := func(what string, of func(Table) time.Duration) {
			var times []time.Duration
			for _, table := range groups[name] {
				times = append(times, of(table))
			}
			figures = append(figures, figure.Times(name+", "+what, times))
		}
		if groups[name][0].Begun == Cleared {
			part("all sessions", func(t Table) time.Duration { return t.Sessions })
		}
		part("all in the router's table", func(t Table) time.Duration { return t.Told })
		part("all in its kernel", func(t Table) time.Duration { return t.Kernel })
	}
	return figures
}
