package failover

import (
	"fmt"
	"time"

	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/outage"
)

// group is what one figure is of.
type group struct {
	system, fault, client, kind, family string
	measures                            Loss
}

func (g group) name() string {
	return fmt.Sprintf("%s, %s, %s by %s, %s, %s", g.system, g.fault, g.client, g.kind, g.family, g.measures)
}

// Figures sums runs up, by system, fault, client and family; and for what a
// fault should not have touched, by system and fault.
func Figures(runs []Run) []figure.Figure {
	var order []group
	groups := map[group][]Run{}
	put := func(g group, run Run) {
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], run)
	}
	for _, run := range runs {
		if run.Owner {
			put(group{run.System, run.Fault, run.Client, string(run.Kind), run.Family(), run.Measures}, run)
		}
	}
	var figures []figure.Figure
	for _, g := range order {
		if g.kind == string(outage.Kept) {
			figures = append(figures, broken(g, groups[g]))
			continue
		}
		if g.measures == Lost {
			figures = append(figures, lost(g, groups[g])...)
		} else {
			figures = append(figures, outages(g, groups[g]))
		}
	}
	return append(figures, bystanders(runs)...)
}

func outages(g group, runs []Run) figure.Figure {
	var times []time.Duration
	for _, run := range runs {
		times = append(times, run.Outage)
	}
	return figure.Times(g.name(), times, targets(g)...)
}

func lost(g group, runs []Run) []figure.Figure {
	var counts []float64
	moves := 0
	for _, run := range runs {
		counts = append(counts, float64(run.Lost))
		if run.Moved {
			moves++
		}
	}
	figures := []figure.Figure{figure.Quantiles(g.name(), "requests", counts, targets(g)...)}
	if runs[0].Stays {
		name := fmt.Sprintf("%s, %s, %s by %s, %s, changes of owner", g.system, g.fault, g.client, g.kind, g.family)
		figures = append(figures, figure.Single(name, "changes", float64(moves), len(runs), figure.AtMost(0)))
	}
	return figures
}

// broken are connections that were there before an address moved: another node
// does not know them.
func broken(g group, runs []Run) figure.Figure {
	var counts []float64
	for _, run := range runs {
		counts = append(counts, float64(run.Broken))
	}
	name := fmt.Sprintf("%s, %s, %s, %s, of %d established connections broke", g.system, g.fault, g.client, g.family, outage.KeptConnections)
	return figure.Quantiles(name, "connections", counts)
}

// bystanders are the addresses whose owner was not harmed.
func bystanders(runs []Run) []figure.Figure {
	var order []group
	counts := map[group][]float64{}
	for _, run := range runs {
		if run.Owner || run.Kind == outage.Kept {
			continue
		}
		g := group{system: run.System, fault: run.Fault}
		if counts[g] == nil {
			order = append(order, g)
		}
		counts[g] = append(counts[g], float64(run.Lost))
	}
	var figures []figure.Figure
	for _, g := range order {
		name := fmt.Sprintf("%s, %s, addresses of other nodes, requests lost", g.system, g.fault)
		figures = append(figures, figure.Quantiles(name, "requests", counts[g]))
	}
	return figures
}
