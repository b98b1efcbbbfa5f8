package config_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"

	"github.com/heraldlb/herald/config"
)

func parse(t *testing.T, data map[string]string) *config.Config {
	t.Helper()
	c, faults := config.Parse(data)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

// ranges prints a pool's addresses in short.
func ranges(pool config.Pool) string {
	var text []string
	for _, r := range pool.Addresses.Ranges() {
		text = append(text, config.FormatRange(r))
	}
	return strings.Join(text, " ")
}

func TestAddresses(t *testing.T) {
	tests := []struct {
		name       string
		data       map[string]string
		want       string
		ipv4, ipv6 string
	}{
		{
			"cidr and range together, sorted and merged",
			map[string]string{"cidr-a": "10.0.1.0/24,10.0.0.0/24", "range-a": "10.0.3.1-10.0.3.2,10.0.2.0-10.0.2.9"},
			"10.0.0.0-10.0.2.9 10.0.3.1-10.0.3.2", "524", "0",
		},
		{
			"the ends of a CIDR are its own",
			map[string]string{"cidr-a": "10.0.0.0/30,10.0.0.8/31,10.0.0.12/32,10.0.0.16/29,2001:db8::/64,2001:db8:1::/127,2001:db8:2::/128"},
			"10.0.0.0/30 10.0.0.8/31 10.0.0.12 10.0.0.16/29 2001:db8::/64 2001:db8:1::/127 2001:db8:2::", "15", "18446744073709551619",
		},
		{
			"the ends of a CIDR are skipped, of a range not",
			map[string]string{
				"cidr-a":               "10.0.0.0/30,10.0.0.8/31,10.0.0.12/32,10.0.0.16/29,2001:db8::/64,2001:db8:1::/127,2001:db8:2::/128",
				"range-a":              "10.1.0.0-10.1.0.255",
				"skip-end-ips-in-cidr": "true",
			},
			"10.0.0.1-10.0.0.2 10.0.0.8/31 10.0.0.12 10.0.0.17-10.0.0.22 10.1.0.0/24 " +
				"2001:db8::1-2001:db8::ffff:ffff:ffff:ffff 2001:db8:1::/127 2001:db8:2::", "267", "18446744073709551618",
		},
		{
			"an end that another entry names is not skipped",
			map[string]string{"cidr-a": "10.0.0.0/30,10.0.0.0/32", "skip-end-ips-in-cidr": "true"},
			"10.0.0.0-10.0.0.2", "3", "0",
		},
		{
			"excludes win over all entries",
			map[string]string{
				"cidr-a": "10.0.0.0/29,2001:db8::/32", "range-a": "10.0.0.4-10.0.0.9",
				"exclude-a": "10.0.0.4,10.0.0.6-10.0.0.7,2001:db8:8000::/33",
			},
			"10.0.0.0/30 10.0.0.5 10.0.0.8/31 2001:db8::/33", "7", "39614081257132168796771975168",
		},
		{
			"nothing left",
			map[string]string{"cidr-a": "10.0.0.0/29", "exclude-a": "0.0.0.0/0"},
			"", "0", "0",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pool, ok := parse(t, test.data).Pool("a")
			if !ok {
				t.Fatal("no pool")
			}
			if got := ranges(pool); got != test.want {
				t.Errorf("addresses\n%s, want\n%s", got, test.want)
			}
			ipv4, ipv6 := pool.Size()
			if ipv4.String() != test.ipv4 || ipv6.String() != test.ipv6 {
				t.Errorf("sizes %v and %v, want %s and %s", ipv4, ipv6, test.ipv4, test.ipv6)
			}
		})
	}
}

func TestPool(t *testing.T) {
	c := parse(t, map[string]string{
		"cidr-global":        "10.0.0.16/28",
		"range-a":            "10.0.1.1-10.0.1.9",
		"cidr-b":             "10.0.2.16/28",
		"exclude-b":          "10.0.2.0/24",
		"allow-share-global": "true",
		"allow-share-b":      "false",
		"interface-global":   "eth0",
		"interface-a":        "eth1",
		"interface-c":        "eth2",
	})
	tests := []struct {
		namespace, scope, ranges string
		share                    bool
		iface                    string
	}{
		{"a", "a", "10.0.1.1-10.0.1.9", true, "eth1"},
		{"b", "b", "", false, "eth0"}, // its own pool is empty: not the global one
		{"c", "global", "10.0.0.16/28", true, "eth2"},
		{"d", "global", "10.0.0.16/28", true, "eth0"},
		{"global", "global", "10.0.0.16/28", true, "eth0"},
	}
	for _, test := range tests {
		pool, ok := c.Pool(test.namespace)
		if !ok || pool.Scope != test.scope || pool.Share != test.share || pool.Interface != test.iface || ranges(pool) != test.ranges {
			t.Errorf("namespace %s: got %+v %t, want %+v", test.namespace, pool, ok, test)
		}
		if got := c.Interface(test.namespace); got != test.iface {
			t.Errorf("namespace %s: interface %q, want %q", test.namespace, got, test.iface)
		}
	}
	var scopes []string
	for _, pool := range c.Pools {
		scopes = append(scopes, pool.Scope)
	}
	if diff := cmp.Diff([]string{"a", "b", "global"}, scopes); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
}

func TestNoPool(t *testing.T) {
	c := parse(t, map[string]string{"cidr-a": "10.0.0.16/28"})
	if pool, ok := c.Pool("b"); ok {
		t.Errorf("got %+v, want none", pool)
	}
	if got := c.Interface("b"); got != "" {
		t.Errorf("got interface %q, want none", got)
	}
}

func TestContaining(t *testing.T) {
	c := parse(t, map[string]string{"cidr-global": "10.0.0.16/28,2001:db8::10/124", "cidr-a": "10.0.1.16/28"})
	tests := []struct {
		address, namespace, want string
	}{
		{"10.0.1.17", "a", "a"},
		{"10.0.0.17", "a", ""},
		{"10.0.0.17", "b", "global"},
		{"2001:db8::1f", "b", "global"},
		{"10.0.1.17", "b", ""},
		{"10.0.0.32", "b", ""},
	}
	for _, test := range tests {
		pool, ok := c.Containing(netip.MustParseAddr(test.address), test.namespace)
		if pool.Scope != test.want || ok != (test.want != "") {
			t.Errorf("%s in %s: got pool %q %t, want %q", test.address, test.namespace, pool.Scope, ok, test.want)
		}
	}
}

func TestOrder(t *testing.T) {
	for value, want := range map[string]config.Order{"asc": config.Ascending, " desc\n": config.Descending} {
		c := parse(t, map[string]string{"search-order": value})
		if c.Order != want || c.Order.String() != strings.TrimSpace(value) {
			t.Errorf("%q: got %v, want %v", value, c.Order, want)
		}
	}
	if c := parse(t, nil); c.Order != config.Ascending {
		t.Errorf("without the key: %v", c.Order)
	}
}

func TestNodeAddressFaults(t *testing.T) {
	c := parse(t, map[string]string{
		"cidr-global":    "10.1.0.16/28,10.0.0.16/28,2001:db8::10/124",
		"exclude-global": "10.0.0.18",
		"range-a":        "10.0.0.17-10.0.0.20",
	})
	got := c.NodeAddressFaults(map[string][]netip.Addr{
		"node-1": {netip.MustParseAddr("10.0.0.17"), netip.MustParseAddr("2001:db8::11"), netip.MustParseAddr("10.0.0.15")},
		"node-2": {netip.MustParseAddr("10.0.0.18"), netip.MustParseAddr("::ffff:10.1.0.17")},
		"node-3": {netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("fe80::1%eth0"), {}},
	})
	want := []string{
		`warning: cidr-global[1] "10.1.0.16/28": holds 10.1.0.17, an address of node node-2; leave it out with exclude-global`,
		`warning: cidr-global[2] "10.0.0.16/28": holds 10.0.0.17, an address of node node-1; leave it out with exclude-global`,
		`warning: cidr-global[3] "2001:db8::10/124": holds 2001:db8::11, an address of node node-1; leave it out with exclude-global`,
		`warning: range-a[1] "10.0.0.17-10.0.0.20": holds 10.0.0.17, an address of node node-1; leave it out with exclude-a`,
		`warning: range-a[1] "10.0.0.17-10.0.0.20": holds 10.0.0.18, an address of node node-2; leave it out with exclude-a`,
	}
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestFormatRange(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.1-10.0.0.1":       "10.0.0.1",
		"10.0.0.0-10.0.0.255":     "10.0.0.0/24",
		"10.0.0.1-10.0.0.255":     "10.0.0.1-10.0.0.255",
		"2001:db8::-2001:db8::ff": "2001:db8::/120",
	} {
		if got := config.FormatRange(netipx.MustParseIPRange(text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// The size of a pool costs nothing: its addresses are never enumerated.
func TestLargePool(t *testing.T) {
	const most = 200 // allocations; they are about 60
	data := map[string]string{"cidr-global": "2001:db8::/32,10.0.0.0/8", "exclude-global": "2001:db8::1"}
	if got := testing.AllocsPerRun(100, func() { config.Parse(data) }); got > most {
		t.Errorf("%v allocations, want at most %d", got, most)
	}
}

func TestAnnounce(t *testing.T) {
	routers := "localASN: 64512\npeers: [{name: a, address: 192.0.2.1, asn: 64500}]"
	c := parse(t, map[string]string{
		"cidr-global": "10.0.0.16/28", "cidr-a": "10.0.1.16/28", "cidr-b": "10.0.2.16/28",
		"announce-global": "l2,bgp", "announce-a": "bgp", "announce-d": "l2", "bgp.yaml": routers,
	})
	for namespace, want := range map[string]string{"a": "bgp", "b": "l2,bgp", "c": "l2,bgp", "d": "l2"} {
		if got := c.Announce(namespace).String(); got != want {
			t.Errorf("%s is announced by %s, want %s", namespace, got, want)
		}
		if pool, ok := c.Pool(namespace); !ok || pool.Announce.String() != want {
			t.Errorf("the pool of %s is announced by %s, want %s", namespace, pool.Announce, want)
		}
	}
	if c.BGP == nil || c.BGP.LocalASN != 64512 || len(c.BGP.Peers) != 1 {
		t.Errorf("BGP: %+v", c.BGP)
	}

	c = parse(t, map[string]string{"cidr-global": "10.0.0.16/28"})
	if got := c.Announce("a"); got != (config.Announce{L2: true}) || c.BGP != nil {
		t.Errorf("without keys: announced by %s, BGP %+v", got, c.BGP)
	}
}
