package announcement

import (
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heraldlb/herald/announcer"
)

// metric is one that the announcer counts and the agent exposes.
type metric struct {
	help   string
	labels []string
}

// metrics are all of them. A sample of another name is not exposed. The name
// tells the kind: see announcer.Sample.
func metrics() map[string]metric {
	perFamily, perInterface, perReason := []string{"family"}, []string{"interface", "family"}, []string{"reason"}
	return map[string]metric{
		"herald_addresses_announced":     {"Addresses that this node answers for, by IP family.", perFamily},
		"herald_requests_received_total": {"ARP requests and neighbour solicitations received for announced addresses.", perInterface},
		"herald_replies_sent_total":      {"ARP replies and solicited neighbour advertisements sent.", perInterface},
		"herald_gratuitous_sent_total":   {"Gratuitous ARP requests and unsolicited neighbour advertisements sent.", perInterface},
		"herald_drops_total":             {"Frames received and not answered, by reason.", append(perInterface, "reason")},
		"herald_conflicts_total":         {"Frames of strangers that use an announced address.", perInterface},

		"herald_members":                          {"Other announcers, by the interface that they are heard on and by state.", []string{"interface", "state"}},
		"herald_heartbeats_sent_total":            {"Heartbeats sent.", perInterface},
		"herald_heartbeats_received_total":        {"Heartbeats received and believed.", perInterface},
		"herald_heartbeats_lost_total":            {"Heartbeats that did not come, by the gaps in their numbers.", perInterface},
		"herald_heartbeat_drops_total":            {"Datagrams received and not believed, by reason.", perReason},
		"herald_heartbeat_lateness_seconds":       {"How much later than their sender's interval heartbeats came.", perInterface},
		"herald_heartbeat_timer_lateness_seconds": {"How late the announcer's own timer was.", nil},
		"herald_local_health_suspensions_total":   {"How often nobody was judged since this node was late itself, by what showed it.", perReason},

		"herald_bfd_sessions":               {"BFD sessions with routers, by state.", []string{"state"}},
		"herald_bfd_flaps_total":            {"How often a BFD session was lost: it left Up, and not on purpose.", nil},
		"herald_bfd_packets_sent_total":     {"BFD packets sent.", nil},
		"herald_bfd_packets_received_total": {"BFD packets received and believed.", nil},
		"herald_bfd_packet_drops_total":     {"BFD packets received and not believed, or not sent, by reason.", perReason},
		"herald_bfd_timer_lateness_seconds": {"How late the timer of BFD was.", nil},
		"herald_bfd_suspensions_total":      {"How often silence of routers was excused since this node was late itself, by what showed it.", perReason},

		"herald_claims":                    {"Addresses that this node owns, by IP family.", perFamily},
		"herald_claim_ties_total":          {"Addresses that two nodes owned and this one kept.", nil},
		"herald_failovers_total":           {"Addresses taken over from a node that was gone.", nil},
		"herald_handovers_total":           {"Addresses taken over from a node that gave them up.", nil},
		"herald_isolations_total":          {"How often this node was cut off, and withdrew.", nil},
		"herald_failover_duration_seconds": {"From the last heartbeat of a node that was gone to the announcement of its address here.", nil},
	}
}

// kindOf tells by its name what kind of metric one is; histogram is true for
// those that have no ValueType.
func kindOf(name string) (kind prometheus.ValueType, histogram bool) {
	switch {
	case strings.HasSuffix(name, "_total"):
		return prometheus.CounterValue, false
	case strings.HasSuffix(name, "_seconds"):
		return prometheus.UntypedValue, true
	default:
		return prometheus.GaugeValue, false
	}
}

// collector exposes the announcer's samples while it is connected, and whether
// it is, and whether the API server is there.
type collector struct {
	connected, apiServer func() bool
	samples              func() []announcer.Sample

	up, there *prometheus.Desc

	known map[string]metric
	descs map[string]*prometheus.Desc
}

func newCollector(connected, apiServer func() bool, samples func() []announcer.Sample) *collector {
	c := &collector{
		connected: connected,
		apiServer: apiServer,
		samples:   samples,
		up:        prometheus.NewDesc("herald_announcer_connected", "1 if the agent is connected to its announcer, else 0.", nil, nil),
		there:     prometheus.NewDesc("herald_api_server_reachable", "1 if the API server answered the agent's last request, else 0.", nil, nil),
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
	descs <- c.there
	for _, desc := range c.descs {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	connected := c.connected()
	metrics <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, oneIf(connected))
	metrics <- prometheus.MustNewConstMetric(c.there, prometheus.GaugeValue, oneIf(c.apiServer()))
	if !connected {
		return
	}
	// Two samples of one series, or one bad label, would spoil the whole scrape.
	seen := make(map[announcer.Sample]bool)
	for _, sample := range c.samples() {
		series := sample
		series.Value, series.Histogram = 0, nil
		if seen[series] {
			continue
		}
		seen[series] = true
		if exposed, err := c.expose(sample); err == nil {
			metrics <- exposed
		}
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

var errUnknown = errors.New("not a metric of the announcer's")

func (c *collector) expose(sample announcer.Sample) (prometheus.Metric, error) {
	m, known := c.known[sample.Metric]
	kind, histogram := kindOf(sample.Metric)
	if !known || histogram != (sample.Histogram != nil) {
		return nil, errUnknown
	}
	desc, labels := c.descs[sample.Metric], values(sample, m.labels)
	if !histogram {
		return prometheus.NewConstMetric(desc, kind, sample.Value, labels...)
	}
	buckets := make(map[float64]uint64, len(sample.Histogram.Buckets))
	for _, b := range sample.Histogram.Buckets {
		buckets[b.UpperBound] = b.Count
	}
	return prometheus.NewConstHistogram(desc, sample.Histogram.Count, sample.Histogram.Sum, buckets, labels...)
}

// values returns those of the labels.
func values(sample announcer.Sample, labels []string) []string {
	all := map[string]string{"interface": sample.Interface, "family": sample.Family, "reason": sample.Reason, "state": sample.State}
	values := make([]string, len(labels))
	for i, label := range labels {
		values[i] = all[label]
	}
	return values
}
