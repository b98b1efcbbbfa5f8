package bgp_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
	"pgregory.net/rapid"

	"github.com/heraldlb/herald/config/bgp"
)

const twoRacks = `
localASN: 64512
peers:
- {name: rack-a, address: 192.0.2.1, asn: 64501, nodeSelector: {matchLabels: {rack: a}}}
- {name: rack-b, address: 192.0.2.1, asn: 64502, nodeSelector: {matchLabels: {rack: b}}}
- {name: spine, address: "2001:db8::1", asn: 64500}
- {name: edge, address: fe80::1%eth0, asn: 64503, nodeSelector: {matchLabels: {edge: ""}}}
- {name: uplink, interface: eth1, asn: 64504, nodeSelector: {matchLabels: {edge: ""}}}
- {name: second, address: 192.0.2.1, asn: 64505, nodeSelector: {matchLabels: {second: ""}}}
advertisements:
- {name: everything, nodeSelector: {matchExpressions: [{key: quiet, operator: DoesNotExist}]}}
- {name: edge, nodeSelector: {matchLabels: {edge: ""}}}
`

func parse(t testing.TB, text string) *bgp.Config {
	t.Helper()
	c, faults := bgp.Parse(text)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

// told is what a node is told, shortly.
func told(n bgp.ForThisNode) string {
	var parts []string
	for _, p := range n.Peers {
		text := fmt.Sprintf("%s=AS%d", p.Name, p.ASN)
		if p.SourceAddress.IsValid() {
			text += "<" + p.SourceAddress.String()
		}
		parts = append(parts, text)
	}
	for _, a := range n.Advertisements {
		parts = append(parts, "!"+a.Name)
	}
	return fmt.Sprintf("AS%d %s %s", n.LocalASN, n.RouterID, strings.Join(parts, " "))
}

func TestForNode(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("2001:db8::11"), netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("192.0.2.12")}
	tests := []struct {
		name                string
		labels, annotations map[string]string
		want                string
		errs                []string
	}{
		{"no labels", nil, nil, "AS64512 192.0.2.11 spine=AS64500 !everything", nil},
		{"a rack", map[string]string{"rack": "a"}, nil, "AS64512 192.0.2.11 rack-a=AS64501 spine=AS64500 !everything", nil},
		{"the edge", map[string]string{"rack": "b", "edge": ""}, nil, "AS64512 192.0.2.11 edge=AS64503 rack-b=AS64502 spine=AS64500 uplink=AS64504 !edge !everything", nil},
		{"told nothing", map[string]string{"quiet": "yes"}, nil, "AS64512 192.0.2.11 spine=AS64500", nil},
		{"one router twice", map[string]string{"rack": "a", "second": ""}, nil, "AS64512 192.0.2.11 rack-a=AS64501 spine=AS64500 !everything", []string{
			`peer "second": on this node it is the same router as peer "rack-a", which stays`,
		}},
		{
			"every annotation",
			map[string]string{"rack": "a", "edge": ""},
			map[string]string{"heraldlb.io/bgp-local-asn": "1.1", "heraldlb.io/bgp-router-id": "198.51.100.1", "heraldlb.io/bgp-source-address": "2001:db8::99, 192.0.2.99"},
			"AS65537 198.51.100.1 edge=AS64503 rack-a=AS64501<192.0.2.99 spine=AS64500<2001:db8::99 uplink=AS64504 !edge !everything", nil,
		},
		{
			"a source address of one family",
			map[string]string{"rack": "a"},
			map[string]string{"heraldlb.io/bgp-source-address": "192.0.2.99"},
			"AS64512 192.0.2.11 rack-a=AS64501<192.0.2.99 spine=AS64500 !everything", nil,
		},
		{
			"peers of its own",
			map[string]string{"rack": "a"},
			map[string]string{"heraldlb.io/bgp-peers": "192.0.2.7:64507:secret, [2001:db8::1]:64508", "heraldlb.io/bgp-source-address": "192.0.2.99"},
			"AS64512 192.0.2.11 192.0.2.7=AS64507<192.0.2.99 spine=AS64508 !everything", nil,
		},
		{
			"everything broken",
			map[string]string{"rack": "a"},
			map[string]string{
				"heraldlb.io/bgp-local-asn": "x", "heraldlb.io/bgp-router-id": "", "heraldlb.io/bgp-source-address": "192.0.2.1,192.0.2.2", "heraldlb.io/bgp-peers": ",",
			},
			"AS64512 192.0.2.11 rack-a=AS64501 spine=AS64500 !everything",
			[]string{
				`annotation heraldlb.io/bgp-local-asn: "x": not an AS number: those are from 1 to 4294967294 (RFC 6793)`,
				`annotation heraldlb.io/bgp-router-id: "": not an IP address`,
				`annotation heraldlb.io/bgp-peers: no peer in it; a peer is address:AS:password:multihop`,
				`annotation heraldlb.io/bgp-source-address: more than one address of a family`,
			},
		},
		{
			"the router's address as source",
			map[string]string{"rack": "a"},
			map[string]string{"heraldlb.io/bgp-source-address": "2001:db8::99,192.0.2.1"},
			"AS64512 192.0.2.11 rack-a=AS64501 spine=AS64500 !everything",
			[]string{`annotation heraldlb.io/bgp-source-address: "192.0.2.1": peer "rack-a": the router's own address`},
		},
		{
			"a link-local source", nil,
			map[string]string{"heraldlb.io/bgp-source-address": "fe80::2%eth0"},
			"AS64512 192.0.2.11 spine=AS64500 !everything",
			[]string{`annotation heraldlb.io/bgp-source-address: "fe80::2%eth0": link-local`},
		},
		{
			"one peer twice", nil,
			map[string]string{"heraldlb.io/bgp-peers": "192.0.2.7:1,192.0.2.7:2"},
			"AS64512 192.0.2.11 spine=AS64500 !everything",
			[]string{`annotation heraldlb.io/bgp-peers: peer 192.0.2.7: it is there twice`},
		},
	}
	c := parse(t, twoRacks)
	before := fmt.Sprintf("%+v", c)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			node, errs := bgp.ForNode(c, "n1", test.labels, test.annotations, own)
			if got := told(node); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			var texts []string
			for _, err := range errs {
				texts = append(texts, err.Error())
			}
			if diff := cmp.Diff(test.errs, texts); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
	if after := fmt.Sprintf("%+v", c); after != before {
		t.Errorf("the config was %s, and is %s", before, after)
	}
}

func TestForNodeRouterID(t *testing.T) {
	c := parse(t, "localASN: 64512\npeers: []\n")
	id := func(c *bgp.Config, name string, own ...string) string {
		var addresses []netip.Addr
		for _, text := range own {
			addresses = append(addresses, netip.MustParseAddr(text))
		}
		node, errs := bgp.ForNode(c, name, nil, nil, addresses)
		if len(errs) > 0 {
			t.Error(errs)
		}
		return node.RouterID.String()
	}
	if got := id(c, "n1", "127.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "192.0.2.2"); got != "192.0.2.1" {
		t.Errorf("router ID %s of the node's addresses", got)
	}
	if a, b := id(c, "n1", "2001:db8::1"), id(c, "n1"); a != b {
		t.Errorf("router ID %s, then %s", a, b)
	}
	if a, b := id(c, "n1"), id(c, "n2"); a == b {
		t.Errorf("two nodes have the router ID %s", a)
	}
	for i := range 10000 {
		if addr := netip.MustParseAddr(id(c, fmt.Sprint(i))); addr.As4()[0] == 0 || addr.As4()[0] > 126 {
			t.Fatalf("router ID %s", addr)
		}
	}
	fixed := parse(t, "localASN: 64512\nrouterID: 198.51.100.1\npeers: []\n")
	if got := id(fixed, "n1", "192.0.2.1"); got != "198.51.100.1" {
		t.Errorf("router ID %s", got)
	}
}

func TestForNodeWithoutAdvertisements(t *testing.T) {
	node, _ := bgp.ForNode(parse(t, peer(good)), "n1", nil, nil, nil)
	want := []bgp.Advertisement{{Services: labels.Everything(), Nodes: labels.Everything(), AggregationLength4: 32, AggregationLength6: 128}}
	if diff := cmp.Diff(want, node.Advertisements, compareBySelf()...); diff != "" {
		t.Errorf("advertisements (-want +got):\n%s", diff)
	}
}

// TestSelectionAgainstModel compares what is selected with what the labels say, for
// peers and labels at random.
func TestSelectionAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type rule struct {
			operator string
			values   []string
		}
		word := rapid.SampledFrom([]string{"a", "b", "c"})
		ruleOf := rapid.Custom(func(t *rapid.T) map[string]rule {
			rules := make(map[string]rule)
			for range rapid.IntRange(0, 3).Draw(t, "rules") {
				rules[word.Draw(t, "key")] = rule{
					rapid.SampledFrom([]string{"In", "NotIn", "Exists", "DoesNotExist"}).Draw(t, "operator"),
					rapid.SliceOfN(word, 1, 3).Draw(t, "values"),
				}
			}
			return rules
		})
		labelled := rapid.MapOf(word, word).Draw(t, "labels")
		fits := func(rules map[string]rule) bool {
			for key, r := range rules {
				value, has := labelled[key]
				in := has && slices.Contains(r.values, value)
				if !map[string]bool{"In": in, "NotIn": !in, "Exists": has, "DoesNotExist": !has}[r.operator] {
					return false
				}
			}
			return true
		}
		write := func(rules map[string]rule) string {
			var items []string
			for key, r := range rules {
				values := ""
				if r.operator == "In" || r.operator == "NotIn" {
					values = ", values: [" + strings.Join(r.values, ", ") + "]"
				}
				items = append(items, fmt.Sprintf("{key: %s, operator: %s%s}", key, r.operator, values))
			}
			return "nodeSelector: {matchExpressions: [" + strings.Join(items, ", ") + "]}"
		}
		var text strings.Builder
		var peers, advertisements []string
		text.WriteString("localASN: 64512\npeers:\n")
		for i := range rapid.IntRange(1, 6).Draw(t, "peers") {
			rules := ruleOf.Draw(t, "peer")
			fmt.Fprintf(&text, "- {name: p%d, address: 10.0.0.%[1]d, asn: 64500, %s}\n", i+1, write(rules))
			if fits(rules) {
				peers = append(peers, fmt.Sprintf("p%d", i+1))
			}
		}
		text.WriteString("advertisements:\n")
		for i := range rapid.IntRange(1, 6).Draw(t, "advertisements") {
			rules := ruleOf.Draw(t, "advertisement")
			fmt.Fprintf(&text, "- {name: a%d, %s}\n", i, write(rules))
			if fits(rules) {
				advertisements = append(advertisements, fmt.Sprintf("a%d", i))
			}
		}
		c, faults := bgp.Parse(text.String())
		if len(faults) > 0 {
			t.Fatal(text.String(), faults)
		}
		node, errs := bgp.ForNode(c, "n", labelled, nil, nil)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		var gotPeers, gotAdvertisements []string
		for _, p := range node.Peers {
			gotPeers = append(gotPeers, p.Name)
		}
		for _, a := range node.Advertisements {
			gotAdvertisements = append(gotAdvertisements, a.Name)
		}
		if !slices.Equal(peers, gotPeers) || !slices.Equal(advertisements, gotAdvertisements) {
			t.Errorf("%s for %v: peers %v, want %v; advertisements %v, want %v", text.String(), labelled, gotPeers, peers, gotAdvertisements, advertisements)
		}
	})
}

// TestManyPeers is of a ConfigMap as large as the API server takes.
func TestManyPeers(t *testing.T) {
	const n = 10000
	var text strings.Builder
	text.WriteString("localASN: 64512\npeers:\n")
	for i := range n {
		fmt.Fprintf(&text, "- {name: p%d, address: 10.0.0.1, asn: 64500, nodeSelector: {matchLabels: {n: \"%[1]d\"}}}\n", i)
	}
	text.WriteString("advertisements:\n")
	for i := range n {
		fmt.Fprintf(&text, "- {name: a%d}\n", i)
	}
	c := parse(t, text.String())
	if len(c.Peers) != n || len(c.Advertisements) != n {
		t.Errorf("%d peers, %d advertisements", len(c.Peers), len(c.Advertisements))
	}
}

// A name that an address of another peer is stays that one's: two of one name would be one
// session.
func TestNamesOfAnnotatedPeersDiffer(t *testing.T) {
	c := parse(t, "localASN: 64512\npeers: [{name: 192.0.2.7, address: 192.0.2.8, asn: 64500}]\n")
	node, errs := bgp.ForNode(c, "n1", nil, map[string]string{"heraldlb.io/bgp-peers": "192.0.2.7:1,192.0.2.8:2"}, nil)
	if len(errs) > 0 || len(node.Peers) != 2 || node.Peers[0].Name == node.Peers[1].Name {
		t.Errorf("peers %+v, %v", node.Peers, errs)
	}
}

// TestNodeAnnotations has every annotation explained, and its example heeded.
func TestNodeAnnotations(t *testing.T) {
	c := parse(t, twoRacks)
	before, _ := bgp.ForNode(c, "worker1", nil, nil, nil)
	for _, a := range bgp.NodeAnnotations() {
		if a.Value == "" || a.Default == "" || a.Example == "" || a.Text == "" {
			t.Errorf("%s: not explained: %+v", a.Name, a)
		}
		after, errs := bgp.ForNode(c, "worker1", nil, map[string]string{a.Name: a.Example}, nil)
		if len(errs) > 0 || told(after) == told(before) {
			t.Errorf("%s: %q: %v, %v", a.Name, a.Example, errs, after)
		}
	}
}
