package ipam

import (
	"net/netip"
	"testing"
)

// TestSetPools sees to it that nobody loses an address, whatever the pools become.
func TestSetPools(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/30")
	run(t, a, []step{
		{allocate: ask("a/1"), want: "192.0.2.0"},
		{allocate: ask("b/1"), want: "192.0.2.1"},
	})

	a.SetPools(Descending, parsePools(t, "global: 192.0.2.1-192.0.2.2", "a: 198.51.100.0/24"))
	run(t, a, []step{
		{allocate: ask("a/1"), want: "192.0.2.0"}, // outside, and kept
		{allocate: ask("a/1", exactly("192.0.2.0")), want: "192.0.2.0"},
		{allocate: ask("a/2"), want: "198.51.100.255"},
		{allocate: ask("b/2"), want: "192.0.2.2"},
		{allocate: ask("b/3"), refused: `pool "global" has no free IPv4 address`},
	})

	a.SetPools(Ascending, nil)
	run(t, a, []step{
		{allocate: ask("b/1"), want: "192.0.2.1"},
		{allocate: ask("b/1", families(1, IPv6, IPv4)), want: "192.0.2.1"},
	})
	a.Release(Owner{"a", "1"})

	a.SetPools(Ascending, parsePools(t, "global: 192.0.2.0/29"))
	run(t, a, []step{
		{allocate: ask("b/3"), want: "192.0.2.0"},
		{allocate: ask("b/4"), want: "192.0.2.3"},
	})
}

// TestShareSwitched sees sharing by pool begin and end for those who hold already.
func TestShareSwitched(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/24")
	https := ports(Port{"TCP", 443})
	run(t, a, []step{{allocate: ask("a/1"), want: "192.0.2.0"}})

	a.SetPools(Ascending, parsePools(t, "global,share: 192.0.2.0/24"))
	run(t, a, []step{{allocate: ask("a/2", https), want: "192.0.2.0"}})

	a.SetPools(Ascending, parsePools(t, "global: 192.0.2.0/24"))
	run(t, a, []step{
		{allocate: ask("a/3", ports()), want: "192.0.2.1"},
		{allocate: ask("a/2", https), refused: "address 192.0.2.0 is taken by a/1: it is not shared without a sharing key"},
	})

	a.SetPools(Ascending, parsePools(t, "global,share: 192.0.2.0/24"))
	run(t, a, []step{{allocate: ask("a/2", https), want: "192.0.2.0"}})
}

func TestInPool(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/24 198.51.100.7-198.51.100.9 2001:db8::/64", "a: 203.0.113.0/24")
	tests := []struct {
		namespace, address string
		want               bool
	}{
		{"a", "203.0.113.1", true},
		{"a", "192.0.2.1", false},
		{"b", "203.0.113.1", false},
		{"b", "192.0.2.255", true},
		{"b", "::ffff:192.0.2.255", true},
		{"b", "192.0.3.0", false},
		{"b", "198.51.100.6", false},
		{"b", "198.51.100.7", true},
		{"b", "198.51.100.9", true},
		{"b", "198.51.100.10", false},
		{"b", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"b", "2001:db8:0:1::", false},
	}
	for _, test := range tests {
		if got := a.InPool(test.namespace, netip.MustParseAddr(test.address)); got != test.want {
			t.Errorf("%s in the pool of %s: %t", test.address, test.namespace, got)
		}
	}
	if New(Ascending).InPool("a", netip.MustParseAddr("192.0.2.1")) {
		t.Error("in the pool of an allocator that has none")
	}
}
