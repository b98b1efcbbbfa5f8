package status

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bgp"
	"github.com/heraldlb/herald/controllers/advertisement"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sample(now time.Time) *Report {
	member := func(node string, state announcer.MemberState, claims int) announcer.Member {
		return announcer.Member{
			Node: node, Interface: "eth0", Source: netip.MustParseAddr("192.0.2.22"), State: state,
			Since: now.Add(-time.Hour), Interval: 25 * time.Millisecond, Multiplier: 4, Claims: claims, Lost: 3,
		}
	}
	return &Report{
		Complaints: []string{"ConfigMap herald-system/herald: warning: cidr-b: overlaps cidr-a"},
		Pools: []Pool{
			{Scope: "global", Family: "IPv4", Size: "40", Used: 2},
			{Scope: "global", Family: "IPv6", Size: "18446744073709551616", Used: 0},
		},
		Services: []Service{
			{Namespace: "shop", Name: "web", External: []string{"198.51.100.7:53/UDP", "198.51.100.7:80/TCP"}, Addresses: []Address{
				{Address: netip.MustParseAddr("192.0.2.200"), Owner: "node1", Interfaces: []string{"eth0", "eth1"}, Since: now.Add(-5 * time.Minute)},
				{Address: netip.MustParseAddr("2001:db8::200"), Problem: "no node has said yet that it answers"},
			}},
			{Namespace: "shop", Name: "routed", Addresses: []Address{
				{Address: netip.MustParseAddr("198.51.100.1"), Advertised: "advertised by BGP: node1 tells rtr-a of 198.51.100.1; every eligible node does alike"},
			}},
			{Namespace: "shop", Name: "late", Addresses: []Address{}, Waiting: "the pool global has no free IPv4 address"},
		},
		Nodes: []Node{
			{Name: "node1", Owns: 1, View: &announcer.View{
				Node: "node1", Scheduling: "SCHED_FIFO", Keyed: true,
				Members: []announcer.Member{member("node2", announcer.Alive, 0), member("node3", announcer.Dead, 7)},
			}, BGP: &advertisement.Report{
				Sessions: []advertisement.Session{
					{Session: bgp.Session{
						Peer: "rtr-a", Address: netip.MustParseAddr("192.0.2.254"), ASN: 65001, State: bgp.Established, Since: now.Add(-time.Hour),
						Advertised: 3, Withheld: 1, Why: "no IPv6 next hop", Updates: 12, Flaps: 1,
					}, BFD: &announcer.BFDStatus{State: announcer.BFDUp}},
					{Session: bgp.Session{
						Peer: "rtr-b", Address: netip.MustParseAddr("2001:db8::254"), ASN: 4200000000, State: bgp.Active, Since: now.Add(-time.Minute),
						Reason: "connection refused",
					}, BFD: &announcer.BFDStatus{State: announcer.BFDDown, Diagnostic: "Control Detection Time Expired"}},
					{Session: bgp.Session{Peer: "rtr-c", ASN: 65001, State: bgp.Idle, Since: now, Reason: "no router is heard on eth1"}},
				},
				Complaints: []string{`advertisement "gold" selects none of 4 addresses`},
			}},
			{Name: "node2", View: &announcer.View{
				Node: "node2", Scheduling: "nice -20", Alone: true,
				Complaints: []string{"192.0.2.9 calls itself node2 too"},
			}},
			{Name: "node3", Excluded: true, Error: "ask the agent in herald-x: no route to host", BGPError: "ask the agent in herald-x: no route to host"},
			{Name: "node4", Excluded: true, View: &announcer.View{Scheduling: "SCHED_FIFO", Keyed: true}, BGPError: "ask the agent in herald-y: forbidden"},
		},
	}
}

func TestText(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, wide := range map[string]bool{"text": false, "wide": true} {
		var text bytes.Buffer
		if err := sample(now).WriteText(&text, now, wide); err != nil {
			t.Fatal(err)
		}
		golden := "testdata/" + name + ".txt"
		if *update {
			if err := os.WriteFile(golden, text.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), text.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Nothing to show is no row, and no heading without one.
func TestTextOfNothing(t *testing.T) {
	var text bytes.Buffer
	if err := new(Report).WriteText(&text, time.Now(), true); err != nil || text.Len() != 0 {
		t.Errorf("%q, error %v", text.String(), err)
	}
}
