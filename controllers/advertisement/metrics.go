package advertisement

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/heraldlb/herald/announcer/bgp"
)

// collector exposes how the sessions stand.
type collector struct {
	sessions                                  func() []bgp.Session
	up, advertised, withheld, updates, losses *prometheus.Desc
}

func newCollector(sessions func() []bgp.Session) *collector {
	of := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"peer"}, nil)
	}
	return &collector{
		sessions:   sessions,
		up:         of("herald_bgp_session_up", "1 if there is a BGP session with the router, else 0."),
		advertised: of("herald_bgp_prefixes_advertised", "Prefixes that the router was told and not told to forget."),
		withheld:   of("herald_bgp_prefixes_withheld", "Prefixes that the router should be told and cannot be."),
		updates:    of("herald_bgp_updates_sent_total", "BGP UPDATE messages sent."),
		losses:     of("herald_bgp_session_flaps_total", "How often the session was lost."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.up, c.advertised, c.withheld, c.updates, c.losses} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	for _, s := range c.sessions() {
		up := 0.0
		if s.State == bgp.Established {
			up = 1
		}
		gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
		metrics <- prometheus.MustNewConstMetric(c.up, gauge, up, s.Peer)
		metrics <- prometheus.MustNewConstMetric(c.advertised, gauge, float64(s.Advertised), s.Peer)
		metrics <- prometheus.MustNewConstMetric(c.withheld, gauge, float64(s.Withheld), s.Peer)
		metrics <- prometheus.MustNewConstMetric(c.updates, counter, float64(s.Updates), s.Peer)
		metrics <- prometheus.MustNewConstMetric(c.losses, counter, float64(s.Flaps), s.Peer)
	}
}
