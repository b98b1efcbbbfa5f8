package announcement

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/heraldlb/herald/announcer"
)

func TestCollector(t *testing.T) {
	connected := true
	c := newCollector(func() bool { return connected }, func() bool { return !connected }, func() []announcer.Sample {
		return []announcer.Sample{
			{Metric: "herald_addresses_announced", Family: "IPv6", Value: 2},
			{Metric: "herald_claims", Family: "IPv4", Value: 3},
			{Metric: "herald_drops_total", Interface: "eth0", Family: "IPv6", Reason: "hop limit", Value: 2},
			{Metric: "herald_drops_total", Interface: "eth0", Family: "IPv6", Reason: "hop limit", Value: 9},
			{Metric: "herald_drops_total", Reason: "\xff", Value: 1},
			{Metric: "not a metric", Value: 1},
			{Metric: "herald_members", Interface: "eth0", State: "Alive", Value: 2},
			{Metric: "herald_members", Interface: "eth0", State: "Dead", Value: 1},
			{Metric: "herald_failover_duration_seconds", Histogram: &announcer.Histogram{
				Count: 3, Sum: 0.5, Buckets: []announcer.Bucket{{UpperBound: 0.1, Count: 1}, {UpperBound: 0.2, Count: 2}},
			}},
			{Metric: "herald_heartbeat_timer_lateness_seconds", Value: 1},
			{Metric: "herald_claims", Family: "IPv6", Histogram: &announcer.Histogram{}},
			{},
		}
	})
	if err := prometheus.NewRegistry().Register(c); err != nil {
		t.Fatal(err)
	}
	want := `
		# HELP herald_addresses_announced Addresses that this node answers for, by IP family.
		# TYPE herald_addresses_announced gauge
		herald_addresses_announced{family="IPv6"} 2
		# HELP herald_claims Addresses that this node owns, by IP family.
		# TYPE herald_claims gauge
		herald_claims{family="IPv4"} 3
		# HELP herald_announcer_connected 1 if the agent is connected to its announcer, else 0.
		# TYPE herald_announcer_connected gauge
		herald_announcer_connected 1
		# HELP herald_api_server_reachable 1 if the API server answered the agent's last request, else 0.
		# TYPE herald_api_server_reachable gauge
		herald_api_server_reachable 0
		# HELP herald_drops_total Frames received and not answered, by reason.
		# TYPE herald_drops_total counter
		herald_drops_total{family="IPv6",interface="eth0",reason="hop limit"} 2
		# HELP herald_failover_duration_seconds From the last heartbeat of a node that was gone to the announcement of its address here.
		# TYPE herald_failover_duration_seconds histogram
		herald_failover_duration_seconds_bucket{le="0.1"} 1
		herald_failover_duration_seconds_bucket{le="0.2"} 2
		herald_failover_duration_seconds_bucket{le="+Inf"} 3
		herald_failover_duration_seconds_sum 0.5
		herald_failover_duration_seconds_count 3
		# HELP herald_members Other announcers, by the interface that they are heard on and by state.
		# TYPE herald_members gauge
		herald_members{interface="eth0",state="Alive"} 2
		herald_members{interface="eth0",state="Dead"} 1
	`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	problems, err := testutil.CollectAndLint(c)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	connected = false
	want = `
		# HELP herald_announcer_connected 1 if the agent is connected to its announcer, else 0.
		# TYPE herald_announcer_connected gauge
		herald_announcer_connected 0
		# HELP herald_api_server_reachable 1 if the API server answered the agent's last request, else 0.
		# TYPE herald_api_server_reachable gauge
		herald_api_server_reachable 1
	`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

// Each metric has a name and a help text as Prometheus' conventions have them.
func TestMetricsLint(t *testing.T) {
	var samples []announcer.Sample
	for name := range metrics() {
		sample := announcer.Sample{Metric: name, Value: 1}
		if _, histogram := kindOf(name); histogram {
			sample.Histogram = new(announcer.Histogram)
		}
		samples = append(samples, sample)
	}
	yes := func() bool { return true }
	c := newCollector(yes, yes, func() []announcer.Sample { return samples })
	if n := testutil.CollectAndCount(c); n != len(samples)+2 {
		t.Errorf("%d of %d metrics are exposed", n, len(samples)+2)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
