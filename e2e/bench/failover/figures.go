package failover

import (
	"fmt"
	"time"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

// Figures sums runs up, by system, fault, client and family.
func Figures(runs []Run, targets func(Run) (p50, p99 *figure.Target)) []figure.Figure {
	type key struct{ system, fault, client, kind, family string }
	var order []key
	groups := map[key][]Run{}
	for _, run := range runs {
		if !run.Owner {
			continue
		}
		k := key{run.System, run.Fault, run.Client, string(run.Kind), run.Family()}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], run)
	}
	var figures []figure.Figure
	for _, k := range order {
		name := fmt.Sprintf("%s, %s, %s by %s, %s", k.system, k.fault, k.client, k.kind, k.family)
		var outages []time.Duration
		for _, run := range groups[k] {
			outages = append(outages, run.Outage)
		}
		p50, p99 := targets(groups[k][0])
		figures = append(figures, figure.NewDistribution(name+", outage", outages).Summary(p50, p99)...)
	}
	return figures
}
