package announcement

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/heraldlb/herald/announcer"
)

// metric is one that the announcer counts and the agent exposes.
type metric struct {
	help   string
	kind   prometheus.ValueType
	labels []string
}

// metrics are all of them. A sample of another name is not exposed.
func metrics() map[string]metric {
	perFamily, perInterface := []string{"family"}, []string{"interface", "family"}
	return map[string]metric{
		"herald_addresses_announced":     {"Addresses that this node answers for, by IP family.", prometheus.GaugeValue, perFamily},
		"herald_requests_received_total": {"ARP requests and neighbour solicitations received for announced addresses.", prometheus.CounterValue, perInterface},
		"herald_replies_sent_total":      {"ARP replies and solicited neighbour advertisements sent.", prometheus.CounterValue, perInterface},
		"herald_gratuitous_sent_total":   {"Gratuitous ARP requests and unsolicited neighbour advertisements sent.", prometheus.CounterValue, perInterface},
		"herald_drops_total":             {"Frames received and not answered, by reason.", prometheus.CounterValue, append(perInterface, "reason")},
		"herald_conflicts_total":         {"Frames of strangers that use an announced address.", prometheus.CounterValue, perInterface},
	}
}

// collector exposes the announcer's samples while it is connected, and whether
// it is.
type collector struct {
	connected func() bool
	samples   func() []announcer.Sample

	up    *prometheus.Desc
	known map[string]metric
	descs map[string]*prometheus.Desc
}

func newCollector(connected func() bool, samples func() []announcer.Sample) *collector {
	c := &collector{
		connected: connected,
		samples:   samples,
		up:        prometheus.NewDesc("herald_announcer_connected", "1 if the agent is connected to its announcer, else 0.", nil, nil),
		known:     metrics(),
		descs:     make(map[string]*prometheus.Desc),
	}
	for name, m := range c.known {
		c.descs[name] = prometheus.NewDesc(name, m.help, m.labels, nil)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	descs <- c.up
	for _, desc := range c.descs {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	if !c.connected() {
		metrics <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, 0)
		return
	}
	metrics <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, 1)
	// Two samples of one series, or one bad label, would spoil the whole scrape.
	seen := make(map[announcer.Sample]bool)
	for _, sample := range c.samples() {
		series := sample
		series.Value = 0
		m, known := c.known[sample.Metric]
		if !known || seen[series] {
			continue
		}
		seen[series] = true
		if exposed, err := prometheus.NewConstMetric(c.descs[sample.Metric], m.kind, sample.Value, values(sample, m.labels)...); err == nil {
			metrics <- exposed
		}
	}
}

// values returns those of the labels.
func values(sample announcer.Sample, labels []string) []string {
	all := map[string]string{"interface": sample.Interface, "family": sample.Family, "reason": sample.Reason}
	values := make([]string, len(labels))
	for i, label := range labels {
		values[i] = all[label]
	}
	return values
}
