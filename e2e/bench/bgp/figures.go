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
