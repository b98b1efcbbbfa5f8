package bgp

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/outage"
)

func TestFigures(t *testing.T) {
	crash := func(system, target string, lossy, waited time.Duration, lost int) Crash {
		return Crash{System: system, Result: outage.Result{
			Target: netip.MustParseAddrPort(target), Lossy: lossy, Outage: waited, Lost: lost,
		}}
	}
	table := func(begun Beginning, sessions, told, kernel time.Duration) Table {
		return Table{System: "MetalLB", Addresses: 1000, Begun: begun, Sessions: sessions, Told: told, Kernel: kernel}
	}
	figures := map[string]figure.Figure{}
	for _, f := range append(CrashFigures([]Crash{
		crash("herald", "192.0.2.1:7", 170*time.Millisecond, 2*time.Millisecond, 50),
		crash("herald", "[2001:db8::1]:7", 0, 3*time.Millisecond, 0),
		crash("herald", "192.0.2.1:7", 180*time.Millisecond, 2*time.Millisecond, 60),
		crash("MetalLB", "192.0.2.1:7", 3*time.Second, 2*time.Millisecond, 900),
	}), TableFigures([]Table{
		table(Configured, time.Second, 2*time.Second, 3*time.Second),
		table(Cleared, 4*time.Second, 5*time.Second, 6*time.Second),
		table(Configured, time.Second, 7*time.Second, 8*time.Second),
	})...) {
		figures[f.Name] = f
	}
	for _, want := range []struct {
		name     string
		p50, max float64
		count    int
	}{
		{"herald, crash, remote by udp flows, IPv4, outage", 170, 180, 2},
		{"herald, crash, remote by udp flows, IPv4, requests lost", 50, 60, 2},
		{"herald, crash, remote by udp flows, IPv6, outage", 3, 3, 1},
		{"MetalLB, crash, remote by udp flows, IPv4, outage", 3000, 3000, 1},
		{"MetalLB, 1000 routes by BGP, configured, all in the router's table", 2000, 7000, 2},
		{"MetalLB, 1000 routes by BGP, configured, all in its kernel", 3000, 8000, 2},
		{"MetalLB, 1000 routes by BGP, sessions cleared, all sessions", 4000, 4000, 1},
		{"MetalLB, 1000 routes by BGP, sessions cleared, all in the router's table", 5000, 5000, 1},
	} {
		f, ok := figures[want.name]
		if !ok {
			t.Errorf("no figure %q", want.name)
		} else if f.Values[0].Value != want.p50 || f.Values[2].Value != want.max || f.Count != want.count {
			t.Errorf("%s: got %+v of %d, want %g and %g of %d", want.name, f.Values, f.Count, want.p50, want.max, want.count)
		}
	}
	if len(figures) != 11 {
		t.Errorf("got %d figures, want 11", len(figures))
	}
}

// TestSummary reads what FRR prints.
func TestSummary(t *testing.T) {
	const first = `{"10.0.0.1": {"pfxRcd": 7, "connectionsEstablished": 1, "state": "Established"},
		"10.0.0.2": {"pfxRcd": 3, "connectionsEstablished": 1, "state": "Established"}, "10.0.0.3": {"pfxRcd": 0, "connectionsEstablished": 0, "state": "Active"}}`
	const second = `{"10.0.0.1": {"pfxRcd": 7, "connectionsEstablished": 1, "state": "Established"},
		"10.0.0.2": {"pfxRcd": 9, "connectionsEstablished": 2, "state": "Established"}, "10.0.0.3": {"pfxRcd": 5, "connectionsEstablished": 1, "state": "Established"}}`
	var before, now summary
	if err := json.Unmarshal([]byte(first), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(second), &now); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		got, want int
	}{
		{"established", before.established(nil), 2},
		{"told 5", before.told(nil, 5), 1},
		{"established anew", now.established(before), 2},
		{"told 7 anew", now.told(before, 7), 1},
		{"told 5 at all", now.told(nil, 5), 3},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, test.got, test.want)
		}
	}
}

func TestKernel(t *testing.T) {
	const text = `{"routes": [{"fib": 4, "rib": 4, "type": "connected"}, {"fib": 998, "rib": 1000, "type": "ebgp"}], "routesTotal": 1004, "routesTotalFib": 1002}`
	var k kernel
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		t.Fatal(err)
	}
	if got := k.installed(); got != 998 {
		t.Errorf("got %d routes, want those by BGP that are installed: 998", got)
	}
}
