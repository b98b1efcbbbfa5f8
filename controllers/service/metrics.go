package service

import (
	"net/netip"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/ipam"
)

// metrics are what the controller counts.
type metrics struct {
	allocations  *prometheus.CounterVec
	failures     *prometheus.CounterVec
	configLoaded prometheus.Gauge
	configStale  prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		allocations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "herald_allocations_total",
			Help: "Addresses given to Services, by IP family.",
		}, []string{"family"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "herald_allocation_failures_total",
			Help: "Services that did not get what they ask for, by the reason in their condition; counted when it changes.",
		}, []string{"reason"}),
		configLoaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "herald_config_last_load_success_timestamp_seconds",
			Help: "When the pools in use were loaded, in seconds since the epoch.",
		}),
		configStale: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "herald_config_stale",
			Help: "1 if the pool ConfigMap is invalid or absent, so that the last good one is in use; else 0.",
		}),
	}
	for _, collector := range []prometheus.Collector{m.allocations, m.failures, m.configLoaded, m.configStale} {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// granted counts the addresses that came to a Service.
func (m *metrics) granted(before, after []netip.Addr) {
	for _, address := range after {
		if !slices.Contains(before, address) {
			m.allocations.WithLabelValues(string(loadbalancer.Family(address))).Inc()
		}
	}
}

// refused counts a refusal, unless it is the one that was told before.
func (m *metrics) refused(told, refusal error, held []netip.Addr) {
	if refusal != nil && !sameRefusal(told, refusal) {
		m.failures.WithLabelValues(refusalReason(refusal, held)).Inc()
	}
}

// poolUsage reads the pools' size and use when it is scraped.
type poolUsage struct {
	size, used *prometheus.Desc
	usage      func() []ipam.Usage
}

func newPoolUsage(usage func() []ipam.Usage) *poolUsage {
	labels := []string{"pool", "family"}
	return &poolUsage{
		size:  prometheus.NewDesc("herald_pool_addresses", "Addresses in the pool, by IP family.", labels, nil),
		used:  prometheus.NewDesc("herald_pool_addresses_used", "Addresses of the pool that Services hold, by IP family.", labels, nil),
		usage: usage,
	}
}

// Describe implements prometheus.Collector.
func (p *poolUsage) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- p.size
	descriptions <- p.used
}

// Collect implements prometheus.Collector.
func (p *poolUsage) Collect(samples chan<- prometheus.Metric) {
	for _, usage := range p.usage() {
		labels := []string{usage.Pool, usage.Family.String()}
		samples <- prometheus.MustNewConstMetric(p.size, prometheus.GaugeValue, usage.Size, labels...)
		samples <- prometheus.MustNewConstMetric(p.used, prometheus.GaugeValue, float64(usage.Used), labels...)
	}
}
