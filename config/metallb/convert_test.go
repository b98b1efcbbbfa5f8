package metallb_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/config/configmap"
	"github.com/heraldlb/herald/config/metallb"
)

// examples has what the transcripts of herald convert are about.
const examples = "../../cmd/herald/testdata/convert/"

func selecting(t *testing.T, text string) labels.Selector {
	t.Helper()
	s, err := labels.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is written is what config reads: the BGP that was meant.
func TestConvertBGP(t *testing.T) {
	text, err := os.ReadFile(examples + "bgp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	conversion, faults := metallb.Convert(string(text))
	if len(faults) > 0 || conversion.LeftOut() {
		t.Fatal(faults, conversion)
	}
	read, errs := config.Parse(conversion.Data)
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	const hold, connect = bgp.DefaultHoldTime, bgp.DefaultConnectTime
	spine := func(name, nodes string) bgp.Peer {
		return bgp.Peer{
			Name: name, Address: netip.MustParseAddr("2001:db8::1"), ASN: 64512, Port: 179, PasswordKey: "spine-password",
			HoldTime: hold, KeepaliveTime: hold / 3, ConnectTime: connect, Nodes: selecting(t, nodes),
		}
	}
	localPreference := uint32(150)
	want := &bgp.Config{
		LocalASN: 64512,
		Peers: []bgp.Peer{
			{
				Name: "old", Address: netip.MustParseAddr("192.0.2.9"), ASN: 64501, LocalASN: 64513, Port: 179,
				HoldTime: hold, KeepaliveTime: hold / 3, ConnectTime: connect, Nodes: labels.Everything(),
			},
			{
				Name: "rack", Address: netip.MustParseAddr("192.0.2.1"), ASN: 64500, Port: 1179, Multihop: 255, PasswordKey: "rack",
				HoldTime: 90 * time.Second, KeepaliveTime: 20 * time.Second, ConnectTime: 5 * time.Second,
				BFD: &bgp.BFD{Interval: 50 * time.Millisecond, Multiplier: 5}, GracefulRestart: bgp.DefaultGracefulRestart,
				SourceAddress: netip.MustParseAddr("192.0.2.11"), Nodes: selecting(t, "kubernetes.io/hostname in (node-a,node-b)"),
			},
			spine("spine-1", "rack=a,role=edge"),
			spine("spine-2", "rack in (b,c)"),
			{
				Name: "unnumbered", Interface: "eth1", ASN: 64502, Port: 179,
				HoldTime: hold, KeepaliveTime: hold / 3, ConnectTime: connect, Nodes: labels.Everything(),
			},
		},
		Advertisements: []bgp.Advertisement{
			{
				Name: "quiet", Pools: []string{"shop"}, Services: selecting(t, "public=true"), Nodes: labels.Everything(),
				Peers: []string{"old", "unnumbered"}, AggregationLength4: 32, AggregationLength6: 128,
			},
			{
				Name: "shop", Pools: []string{"shop"}, Services: labels.Everything(),
				Nodes: selecting(t, "!node-role.kubernetes.io/control-plane"), Peers: []string{"rack", "spine-1", "spine-2"},
				Attributes: bgp.Attributes{
					Communities:      []uint32{64512<<16 | 100, 0xffffff01},
					LargeCommunities: []bgp.LargeCommunity{{Global: 64512, Local1: 1, Local2: 2}},
					LocalPreference:  &localPreference, Prepend: 2,
				},
				AggregationLength4: 24, AggregationLength6: 64,
			},
		},
	}
	selectors := cmp.Comparer(func(a, b labels.Selector) bool { return a.String() == b.String() })
	if diff := cmp.Diff(want, read.BGP, selectors, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("BGP (-want +got):\n%s", diff)
	}
	wantPasswords := []metallb.Password{
		{Key: "rack", Namespace: "metallb-system", Peer: "rack"},
		{Key: "spine-password", Namespace: "metallb-system", Secret: "spine-password"},
	}
	if diff := cmp.Diff(wantPasswords, conversion.Passwords); diff != "" {
		t.Errorf("passwords (-want +got):\n%s", diff)
	}
}

// What one field becomes, and what is said of it.
func TestConvertFields(t *testing.T) {
	const (
		pool = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\nspec: {addresses: [10.1.0.0/28]}\n---\n"
		peer = pool + "apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: r}\nspec: {myASN: 64512, peerASN: 64500, peerAddress: 192.0.2.1, "
		told = pool + "apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: r}\nspec: {myASN: 64512, peerASN: 64500, peerAddress: 192.0.2.1}\n---\n" +
			"apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: a}\nspec: {"
		one = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\nspec: {"
	)
	tests := map[string]struct {
		text string
		key  string
		want string // in the key's value
		note string // in the notes, "" for none that something was left out
	}{
		"router ID of all":                  {peer + "routerID: 192.0.2.9}", "bgp.yaml", "routerID: 192.0.2.9\n", ""},
		"router ID nobody takes":            {peer + "routerID: 255.0.0.1}", "bgp.yaml", "name: r\n", "bgp-router-id"},
		"zero hold time":                    {peer + "holdTime: 0s, keepaliveTime: 0s}", "bgp.yaml", "holdTime: 0s\n", ""},
		"hold time from keepalive":          {peer + "keepaliveTime: 20s}", "bgp.yaml", "holdTime: 1m0s\n    keepaliveTime: 20s\n", ""},
		"half seconds":                      {peer + "holdTime: 10500ms}", "bgp.yaml", "holdTime: 10s\n", ""},
		"hold time too short":               {peer + "holdTime: 2s}", "bgp.yaml", "", "4271"},
		"keepalive as long as hold time":    {peer + "holdTime: 9s, keepaliveTime: 9s}", "bgp.yaml", "holdTime: 9s\n", "not shorter"},
		"own AS":                            {peer + "localASN: 64999}", "bgp.yaml", "localASN: 64999\n", ""},
		"multihop inside an AS":             {strings.Replace(peer, "64500", "64512", 1) + "ebgpMultiHop: true}", "bgp.yaml", "name: r\n", ""},
		"null":                              {peer + "bfdProfile: null, nodeSelectors: }", "bgp.yaml", "name: r\n", ""},
		"no AS":                             {peer + "myASN2: 1}", "", "", "unknown field"},
		"labels no node has":                {peer + "nodeSelectors: [{matchExpressions: [{key: a, operator: Exists}, {key: a, operator: DoesNotExist}]}]}", "bgp.yaml", "", ""},
		"aggregation of IPv4 alone":         {told + "aggregationLength: 28, aggregationLengthV6: 128}", "bgp.yaml", "aggregationLength:\n      ipv4: 28\n", ""},
		"aggregation nobody takes":          {told + "aggregationLength: 33}", "announce-global", "", "not a number from 1 to 32"},
		"several selectors of Services":     {told + "serviceSelectors: [{matchLabels: {a: x}}, {matchLabels: {b: y}}]}", "bgp.yaml", "name: a-2\n", ""},
		"old group":                         {strings.ReplaceAll(told, "metallb.io", "metallb.universe.tf") + "}", "announce-global", "bgp", ""},
		"IPv6 has no end to avoid":          {one + "avoidBuggyIPs: true, addresses: ['2001:db8::/64', 10.1.0.0/24]}", "exclude-global", "10.1.0.0, 10.1.0.255", ""},
		"too many ends":                     {one + "avoidBuggyIPs: true, addresses: [10.0.0.0/8]}", "cidr-global", "10.0.0.0/8", "more than"},
		"spaces in a range":                 {one + "addresses: ['10.0.0.1 - 10.0.0.9']}", "range-global", "10.0.0.1-10.0.0.9", ""},
		"two entries in one":                {one + "addresses: ['10.0.0.0/24,10.0.1.0/24', 10.2.0.0/24]}", "cidr-global", "10.2.0.0/24", "addresses[0]"},
		"namespace that is none":            {one + "addresses: [10.0.0.0/24], serviceAllocation: {namespaces: [Shop]}}", "cidr-Shop", "", "did you mean"},
		"selectors of namespaces alone":     {one + "addresses: [10.0.0.0/24], serviceAllocation: {namespaceSelectors: [{}]}}", "cidr-global", "", "cidr-NAMESPACE"},
		"priority with nobody to go before": {one + "addresses: [10.0.0.0/24], serviceAllocation: {priority: 5}}", "cidr-global", "10.0.0.0/24", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conversion, faults := metallb.Convert(test.text)
			var notes []string
			for _, f := range faults {
				notes = append(notes, f.Reason)
			}
			if conversion == nil {
				conversion = &metallb.Conversion{}
			}
			for _, n := range conversion.Notes {
				if n.LeftOut {
					notes = append(notes, n.String())
				}
			}
			if all := strings.Join(notes, "\n"); !strings.Contains(all, test.note) || test.note == "" && all != "" {
				t.Errorf("says %q, want %q", all, test.note)
			}
			got, there := conversion.Data[test.key]
			if there != (test.want != "") || !strings.Contains(got, test.want) {
				t.Errorf("%s is %q, want %q", test.key, got, test.want)
			}
			checkConversion(t, conversion)
		})
	}
}

// checkConversion checks that Herald takes the ConfigMap, and reads from the manifest
// what was meant.
func checkConversion(t *testing.T, c *metallb.Conversion) {
	t.Helper()
	if _, faults := config.Parse(c.Data); faults.Err() != nil {
		t.Errorf("Herald refuses it: %v\n%v", faults.Err(), c.Data)
	}
	manifest := c.Manifest("herald-system", "herald", "a\nb")
	maps, err := configmap.Read(strings.NewReader(manifest))
	if err != nil || len(maps) != 1 {
		t.Fatalf("%d ConfigMaps, %v:\n%s", len(maps), err, manifest)
	}
	if diff := cmp.Diff(c.Data, maps[0].Data, cmpopts.EquateEmpty()); diff != "" || len(maps[0].Faults) > 0 {
		t.Errorf("the manifest has other data (-want +got):\n%s%v", diff, maps[0].Faults)
	}
}

func FuzzConvert(f *testing.F) {
	for _, name := range []string{"layer2", "pools", "tidy", "bgp", "bgp-partly", "faults", "broken", "other"} {
		text, err := os.ReadFile(examples + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
		for document := range strings.SplitSeq(string(text), "---\n") {
			f.Add(document)
		}
	}
	f.Add("kind: BGPPeerList\napiVersion: metallb.io/v1beta2\nitems: &i [{metadata: {name: a}}, *i, ~]\n--- *i\n")
	f.Add("{kind: IPAddressPool, apiVersion: metallb.io/v1beta1, <<: {}, ? [a] : b, metadata: [], spec: {addresses: [1, ~, \"\\u2028\"]}}")
	f.Fuzz(func(t *testing.T, text string) {
		conversion, faults := metallb.Convert(text)
		if (conversion == nil) != (len(faults) > 0) {
			t.Fatalf("%v beside %v", conversion, faults)
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.Column < 1 || fault.Reason == "" || strings.ContainsAny(fault.Reason, "\n\r") {
				t.Errorf("fault without a place, or not one line: %#v", fault)
			}
		}
		if conversion == nil {
			return
		}
		for _, n := range conversion.Notes {
			if n.Line < 1 || n.Column < 1 || n.Reason == "" || strings.ContainsAny(n.String(), "\n\r") {
				t.Errorf("note without a place, or not one line: %#v", n)
			}
		}
		checkConversion(t, conversion)
	})
}
