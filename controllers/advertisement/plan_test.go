package advertisement

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func selector(t testing.TB, text string) labels.Selector {
	t.Helper()
	parsed, err := labels.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// held are addresses, each of one Service.
func held(holder Holder, texts ...string) map[netip.Addr]Address {
	all := make(map[netip.Addr]Address)
	for _, text := range texts {
		all[addr(text)] = Address{Address: addr(text), Holders: []Holder{holder}}
	}
	return all
}

func plainly(name string) config.Advertisement {
	return config.Advertisement{Name: name, AggregationLength4: 32, AggregationLength6: 128}
}

// selectedFor fills in what bgp.yaml need not say.
func selectedFor(c *config.Config, node labels.Set) *selection {
	if c == nil {
		return new(selection)
	}
	all := *c
	all.Peers, all.Advertisements = slices.Clone(c.Peers), slices.Clone(c.Advertisements)
	for i := range all.Peers {
		p := &all.Peers[i]
		if p.Nodes == nil {
			p.Nodes = labels.Everything()
		}
		if !p.Address.IsValid() && p.Interface == "" {
			p.Interface = p.Name // no two are one router
		}
	}
	for i := range all.Advertisements {
		a := &all.Advertisements[i]
		for _, s := range []*labels.Selector{&a.Services, &a.Nodes} {
			if *s == nil {
				*s = labels.Everything()
			}
		}
	}
	n, errs := config.ForNode(&all, "node", node, nil, nil)
	if len(errs) > 0 {
		panic(errs)
	}
	return selected(n)
}

// told is what a plan has of each peer, in words.
func told(t *testing.T, c *config.Config, node labels.Set, addresses map[netip.Addr]Address) map[string][]string {
	t.Helper()
	s := selectedFor(c, node)
	words := make(map[string][]string)
	for _, p := range plan(situation{selection: s, addresses: addresses, ends: make([]end, len(s.peers))}) {
		words[p.Name] = []string{}
		for _, r := range p.Routes {
			words[p.Name] = append(words[p.Name], r.Prefix.String())
		}
	}
	return words
}

func TestSelection(t *testing.T) {
	peers := []config.Peer{{Name: "rack1", Nodes: selector(t, "rack=1")}, {Name: "rack2", Nodes: selector(t, "rack=2")}, {Name: "spine"}}
	shop := plainly("shop")
	shop.Pools, shop.Peers = []string{"shop"}, []string{"spine"}
	gold := plainly("gold")
	gold.Services, gold.Nodes = selector(t, "tier=gold"), selector(t, "rack=1")
	both := plainly("both")
	both.Pools, both.Services = []string{"shop"}, selector(t, "tier=gold")
	rack1, rack2 := labels.Set{"rack": "1"}, labels.Set{"rack": "2"}
	inShop, inGold := Holder{Pool: "shop"}, Holder{Pool: "global", Labels: labels.Set{"tier": "gold"}}
	one := "192.0.2.1"
	shared := map[netip.Addr]Address{addr(one): {Address: addr(one), Holders: []Holder{inShop, inGold}}}
	for name, test := range map[string]struct {
		advertisements []config.Advertisement
		node           labels.Set
		addresses      map[netip.Addr]Address
		want           map[string][]string
	}{
		"none: all to all":             {nil, rack1, held(inShop, one, "2001:db8::1"), map[string][]string{"rack1": {"192.0.2.1/32", "2001:db8::1/128"}, "spine": {"192.0.2.1/32", "2001:db8::1/128"}}},
		"by pool, to some":             {[]config.Advertisement{shop}, rack1, held(inShop, one), map[string][]string{"rack1": {}, "spine": {"192.0.2.1/32"}}},
		"of another pool":              {[]config.Advertisement{shop}, rack1, held(inGold, one), map[string][]string{"rack1": {}, "spine": {}}},
		"by label":                     {[]config.Advertisement{gold}, rack1, held(inGold, one), map[string][]string{"rack1": {"192.0.2.1/32"}, "spine": {"192.0.2.1/32"}}},
		"by another node":              {[]config.Advertisement{gold}, rack2, held(inGold, one), map[string][]string{"rack2": {}, "spine": {}}},
		"a holder has to match wholly": {[]config.Advertisement{both}, rack2, shared, map[string][]string{"rack2": {}, "spine": {}}},
		"any holder does":              {[]config.Advertisement{gold}, rack1, shared, map[string][]string{"rack1": {"192.0.2.1/32"}, "spine": {"192.0.2.1/32"}}},
		"no peer of this node's":       {nil, nil, held(inShop, one), map[string][]string{"spine": {"192.0.2.1/32"}}},
	} {
		got := told(t, &config.Config{Peers: peers, Advertisements: test.advertisements}, test.node, test.addresses)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := told(t, nil, rack1, held(inShop, one)); len(got) != 0 {
		t.Errorf("without a configuration: %v", got)
	}
}

func TestAggregation(t *testing.T) {
	wide := config.Advertisement{Name: "wide", AggregationLength4: 24, AggregationLength6: 64}
	exact := plainly("exact")
	exact.Services = selector(t, "exact=true")
	c := &config.Config{Peers: []config.Peer{{Name: "r"}}, Advertisements: []config.Advertisement{exact, wide}}
	addresses := held(Holder{}, "192.0.2.1", "192.0.2.200", "198.51.100.1", "2001:db8::1", "2001:db8::2")
	addresses[addr("192.0.2.9")] = Address{Address: addr("192.0.2.9"), Holders: []Holder{{Labels: labels.Set{"exact": "true"}}}}
	want := []string{"192.0.2.0/24", "192.0.2.9/32", "198.51.100.0/24", "2001:db8::/64"}
	if diff := cmp.Diff(want, told(t, c, nil, addresses)["r"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The aggregate stays while one address in it does.
	for _, gone := range []string{"192.0.2.1", "192.0.2.9", "198.51.100.1"} {
		delete(addresses, addr(gone))
	}
	if diff := cmp.Diff([]string{"192.0.2.0/24", "2001:db8::/64"}, told(t, c, nil, addresses)["r"]); diff != "" {
		t.Errorf("fewer (-want +got):\n%s", diff)
	}
	delete(addresses, addr("192.0.2.200"))
	if diff := cmp.Diff([]string{"2001:db8::/64"}, told(t, c, nil, addresses)["r"]); diff != "" {
		t.Errorf("fewer yet (-want +got):\n%s", diff)
	}
}

func TestMerge(t *testing.T) {
	a, b, c := plainly("a"), plainly("b"), plainly("c")
	a.Attributes = config.Attributes{Communities: []uint32{1, 5}, MED: new(uint32(0))}
	b.Attributes = config.Attributes{
		Communities: []uint32{5, 3}, LargeCommunities: []config.LargeCommunity{{Global: 2}, {Global: 1, Local1: 7}},
		MED: new(uint32(10)), LocalPreference: new(uint32(200)), Prepend: 2,
	}
	c.Attributes = config.Attributes{LargeCommunities: []config.LargeCommunity{{Global: 2}}, LocalPreference: new(uint32(300)), Prepend: 5}
	peers := []config.Peer{{Name: "all"}, {Name: "some"}}
	b.Peers = []string{"all"}
	s := selectedFor(&config.Config{Peers: peers, Advertisements: []config.Advertisement{a, b, c}}, nil)
	got := plan(situation{selection: s, addresses: held(Holder{}, "192.0.2.1"), ends: make([]end, 2)})
	want := [][]bgp.Route{
		{{Prefix: netip.MustParsePrefix("192.0.2.1/32"), Attributes: config.Attributes{
			Communities: []uint32{1, 3, 5}, LargeCommunities: []config.LargeCommunity{{Global: 1, Local1: 7}, {Global: 2}},
			MED: new(uint32(0)), LocalPreference: new(uint32(200)), Prepend: 2,
		}}},
		{{Prefix: netip.MustParsePrefix("192.0.2.1/32"), Attributes: config.Attributes{
			Communities: []uint32{1, 5}, LargeCommunities: []config.LargeCommunity{{Global: 2}},
			MED: new(uint32(0)), LocalPreference: new(uint32(300)), Prepend: 5,
		}}},
	}
	if diff := cmp.Diff(want, [][]bgp.Route{got[0].Routes, got[1].Routes}, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// All that makes a session is passed on; a peer without its password is not.
func TestPeers(t *testing.T) {
	p := config.Peer{
		Name: "r", Address: addr("192.0.2.254"), ASN: 65001, LocalASN: 65009, Port: 1790, Multihop: 2, PasswordKey: "r",
		HoldTime: 9 * time.Second, KeepaliveTime: 3 * time.Second, ConnectTime: time.Second, GracefulRestart: time.Minute,
		SourceAddress: addr("192.0.2.7"),
	}
	unnumbered := config.Peer{Name: "u", Interface: "eth1", ASN: 65002, Password: "known", Port: 179}
	s := situation{
		selection: selectedFor(&config.Config{LocalASN: 65000, RouterID: addr("192.0.2.7"), Peers: []config.Peer{p, unnumbered}}, nil),
		ends:      []end{{addr("192.0.2.7"), bgp.NextHops{V4: addr("192.0.2.7")}}, {nextHops: bgp.NextHops{V6: addr("2001:db8::7")}}},
		passwords: map[string]string{"r": "secret"},
	}
	want := []bgp.Peer{
		{
			Name: "r", LocalASN: 65009, RouterID: addr("192.0.2.7"), Address: addr("192.0.2.254"), ASN: 65001, Port: 1790, Multihop: 2,
			Password: "secret", SourceAddress: addr("192.0.2.7"), HoldTime: 9 * time.Second, KeepaliveTime: 3 * time.Second,
			ConnectTime: time.Second, GracefulRestart: time.Minute, NextHops: bgp.NextHops{V4: addr("192.0.2.7")}, Routes: []bgp.Route{},
		},
		{
			Name: "u", LocalASN: 65000, RouterID: addr("192.0.2.7"), Interface: "eth1", ASN: 65002, Port: 179, Password: "known",
			NextHops: bgp.NextHops{V6: addr("2001:db8::7")}, Routes: []bgp.Route{},
		},
	}
	if diff := cmp.Diff(want, plan(s), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.passwords = nil
	if got := plan(s); len(got) != 1 || got[0].Name != "u" {
		t.Errorf("without the password: %+v", got)
	}
}

// What there is to advertise in whatever order, a plan is the same.
func TestPlanIsSorted(t *testing.T) {
	var texts []string
	for i := range 200 {
		texts = append(texts, fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("2001:db8::%d", i))
	}
	got := told(t, &config.Config{Peers: []config.Peer{{Name: "r"}}}, nil, held(Holder{}, texts...))["r"]
	sorted := slices.IsSortedFunc(got, func(a, b string) int {
		return netip.MustParsePrefix(a).Addr().Compare(netip.MustParsePrefix(b).Addr())
	})
	if len(got) != 400 || !sorted {
		t.Errorf("%d routes, sorted: %v", len(got), sorted)
	}
}

// One of 10,000 addresses changed: the plan is made anew.
func BenchmarkPlan(b *testing.B) {
	gold := plainly("gold")
	gold.Services, gold.Attributes.Communities = selector(b, "tier in (gold, silver)"), []uint32{1}
	wide := config.Advertisement{Name: "wide", AggregationLength4: 24, AggregationLength6: 64}
	exact := plainly("exact")
	exact.Pools, exact.Peers = []string{"global"}, []string{"r1"}
	c := &config.Config{Peers: []config.Peer{{Name: "r1"}, {Name: "r2"}, {Name: "r3"}, {Name: "r4"}}, Advertisements: []config.Advertisement{exact, gold, wide}}
	addresses := make(map[netip.Addr]Address)
	for a := addr("10.0.0.0"); len(addresses) < 10_000; a = a.Next() {
		addresses[a] = Address{Address: a, Holders: []Holder{{Pool: "global", Labels: labels.Set{"app": "web", "tier": "gold"}}}}
	}
	s := situation{selection: selectedFor(c, nil), addresses: addresses, ends: make([]end, 4)}
	b.ReportAllocs()
	for b.Loop() {
		plan(s)
	}
}
