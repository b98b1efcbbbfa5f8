package bgp_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/config/bgp"
)

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../../deploy/examples/bgp.yaml")
	if err != nil {
		f.Fatal(err)
	}
	_, text, _ := strings.Cut(string(example), "bgp.yaml: |\n")
	for _, seed := range []string{
		text, "", head,
		peer(good, "holdTime: 3s, keepaliveTime: 1s, bfd: {interval: 10ms, multiplier: 2}, multihop: 2"),
		peer("name: a, interface: eth0, asn: 1.10, gracefulRestart: false, nodeSelector: {matchLabels: {a: b}}"),
		head + "routerID: 1.1.1.1\nadvertisements: [{name: a, peers: [x], communities: [1:2, 1:2:3, no-export], med: 1, localPreference: 2}]",
		"a: &a {b: *a}\n<<: *a\n? [x]\n: !!binary y\n--- *a\n",
		"localASN: !!int x\npeers: [[], {}, ~, 1, {<<: 1, name: [], asn: {}, bfd: ~, nodeSelector: {matchLabels: {<<: x}, matchExpressions: [{}]}}]\n",
		"\ufeff{\"localASN\": 1,\r\n\"peers\": []}\r\n",
		"localASN: |\n  1\npeers: >\n  x\n", "\t", "a:\n- b\n c\n", "\"", "'\n\n", "%YAML 9.9\n---\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, faults := bgp.Parse(text)
		if (c == nil) != (faults.Err() != nil) {
			t.Errorf("config %v beside %v", c, faults)
		}
		for _, fault := range faults {
			switch lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029' }); {
			case fault.Line < 1 || fault.Column < 1 || fault.Reason == "" || fault.Key != bgp.Key:
				t.Errorf("fault without a place or reason: %#v", fault)
			case fault.Line > len(lines)+strings.Count(text, "\n")+strings.Count(text, "\r")+1:
				t.Errorf("fault beyond the end: %#v", fault)
			case strings.ContainsAny(fault.String(), "\n\r"):
				t.Errorf("fault on more than one line: %#v", fault)
			}
		}
		if c != nil {
			checkSane(t, c)
		}
		if _, again := bgp.Parse(text); !cmp.Equal(faults, again) {
			t.Errorf("a second run differs: %v, then %v", faults, again)
		}
	})
}

// checkSane holds a config against what its documentation says.
func checkSane(t *testing.T, c *bgp.Config) {
	t.Helper()
	if c.LocalASN == 0 || c.RouterID.IsValid() && !c.RouterID.Is4() {
		t.Errorf("AS %d, router ID %s", c.LocalASN, c.RouterID)
	}
	names := make(map[string]bool)
	for _, p := range c.Peers {
		checkPeer(t, p)
		if names[p.Name] {
			t.Errorf("two peers %s", p.Name)
		}
		names[p.Name] = true
	}
	if !slices.IsSortedFunc(c.Peers, func(a, b bgp.Peer) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("peers are not sorted: %v", c.Peers)
	}
	for _, a := range c.Advertisements {
		if a.Name == "" || a.Services == nil || a.Nodes == nil {
			t.Errorf("advertisement with holes: %+v", a)
		}
		if a.AggregationLength4 < 1 || a.AggregationLength4 > 32 || a.AggregationLength6 < 1 || a.AggregationLength6 > 128 {
			t.Errorf("%s: lengths %d, %d", a.Name, a.AggregationLength4, a.AggregationLength6)
		}
		if slices.ContainsFunc(a.Peers, func(name string) bool { return !names[name] }) || !slices.IsSorted(a.Peers) || !slices.IsSorted(a.Pools) || !slices.IsSorted(a.Attributes.Communities) {
			t.Errorf("%s: lists %v, %v, %v", a.Name, a.Peers, a.Pools, a.Attributes.Communities)
		}
	}
	node, errs := bgp.ForNode(c, "a", nil, nil, nil)
	if len(errs) > 0 || !node.RouterID.IsValid() {
		t.Errorf("for a node without labels: %v, %v", node, errs)
	}
}

func checkPeer(t *testing.T, p bgp.Peer) {
	t.Helper()
	switch {
	case p.Name == "" || p.ASN == 0 || p.Port == 0 || p.Nodes == nil:
		t.Errorf("peer with holes: %+v", p)
	case p.Address.IsValid() == (p.Interface != ""):
		t.Errorf("%s: address %s, interface %s", p.Name, p.Address, p.Interface)
	case p.Address.Is4In6() || p.Address.IsMulticast() || p.Address.Is6() && p.Address.IsLinkLocalUnicast() != (p.Address.Zone() != ""):
		t.Errorf("%s: address %s", p.Name, p.Address)
	case p.HoldTime != 0 && p.HoldTime < 3*time.Second || p.HoldTime%time.Second != 0 || p.KeepaliveTime%time.Second != 0:
		t.Errorf("%s: hold time %s, keepalive %s", p.Name, p.HoldTime, p.KeepaliveTime)
	case (p.HoldTime == 0) != (p.KeepaliveTime == 0) || p.KeepaliveTime > p.HoldTime:
		t.Errorf("%s: hold time %s, keepalive %s", p.Name, p.HoldTime, p.KeepaliveTime)
	case p.Multihop == 1 || p.Multihop > 0 && (p.Interface != "" || p.Address.IsLinkLocalUnicast() && p.Address.Is6()):
		t.Errorf("%s: %d hops", p.Name, p.Multihop)
	case p.BFD != nil && (p.BFD.Interval < 10*time.Millisecond || p.BFD.Interval > 10*time.Second || p.BFD.Multiplier < 2):
		t.Errorf("%s: BFD %v", p.Name, *p.BFD)
	case p.GracefulRestart < 0 || p.GracefulRestart > 4095*time.Second || p.ConnectTime < time.Second:
		t.Errorf("%s: graceful restart %s, connect time %s", p.Name, p.GracefulRestart, p.ConnectTime)
	case p.SourceAddress.IsValid() && p.SourceAddress.Is4() != p.Address.Is4():
		t.Errorf("%s: from %s to %s", p.Name, p.SourceAddress, p.Address)
	case p.NextHop4.IsValid() && !p.NextHop4.Is4() || p.NextHop6.IsValid() && !p.NextHop6.Is6():
		t.Errorf("%s: next hops %s, %s", p.Name, p.NextHop4, p.NextHop6)
	}
}

func FuzzParsePeer(f *testing.F) {
	for _, seed := range []string{
		"192.0.2.1:65000", "192.0.2.1:65000:secret:true:179:mpbgp_nexthop=fixed;mpbgp_ipv6=x:true;300;300;3",
		"[2001:db8::1]:1.10::false", "[fe80::1%eth0]:1:", "unnumbered:eth0:65000", "unnumbered:eth0",
		"192.0.2.1:65000::true/mpbgp_nexthop=auto_sourceip", "", ":", "[", "[]:", "a:b:c:d:e:f:g:h",
		"10.0.0.1:1:::0:;:;;;", "10.0.0.1:1::::mpbgp_ipv4=10.0.0.2:true;;;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		peer, err := bgp.ParsePeer(text)
		if err == nil {
			checkPeer(t, peer)
			return
		}
		if !cmp.Equal(peer, bgp.Peer{}, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
			t.Errorf("peer %+v beside %v", peer, err)
		}
	})
}
