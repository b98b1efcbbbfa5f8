package portmapping

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/heraldlb/herald/announcer/upnp"
)

// collector exposes what the mapper counts.
type collector struct{ mapper *upnp.Mapper }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("herald_upnp_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, descs) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	count := make(map[upnp.State]float64)
	for _, status := range c.mapper.Statuses() {
		count[status.State]++
	}
	rules := desc("rules", "Ports that this node has the gateway forward, or let through, by state.", "state")
	for _, state := range []upnp.State{upnp.Pending, upnp.Mapped, upnp.Conflict, upnp.Refused, upnp.NoGateway} {
		metrics <- prometheus.MustNewConstMetric(rules, prometheus.GaugeValue, count[state], string(state))
	}
	statistics := c.mapper.Statistics()
	found := 0.0
	if statistics.Found {
		found = 1
	}
	metrics <- prometheus.MustNewConstMetric(desc("gateway_found", "1 if a gateway is known, else 0; 0 while there is nothing to ask it for."), prometheus.GaugeValue, found)
	for _, counter := range []struct {
		name, help string
		value      uint64
	}{
		{"searches_total", "Searches for a gateway.", statistics.Searches},
		{"maps_total", "Ports that were forwarded anew, or for longer.", statistics.Maps},
		{"refusals_total", "What the gateway would not do, since a port was somebody else's for one.", statistics.Refusals},
		{"failures_total", "Searches and requests without an answer, or with one that makes no sense.", statistics.Failures},
		{"losses_total", "How often a gateway was gone, or had forgotten a port.", statistics.Losses},
	} {
		metrics <- prometheus.MustNewConstMetric(desc(counter.name, counter.help), prometheus.CounterValue, float64(counter.value))
	}
}
