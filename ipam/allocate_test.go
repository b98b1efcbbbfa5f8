package ipam

import (
	"errors"
	"math"
	"net/netip"
	"testing"
)

func TestAllocate(t *testing.T) {
	both, v6first := families(0, IPv4, IPv6), families(0, IPv6, IPv4)
	prefer := families(1, IPv4, IPv6)
	tests := map[string]struct {
		order Order
		pools []string
		steps []step
	}{
		"the lowest first": {
			pools: []string{"global: 192.0.2.0/31 198.51.100.0/24"},
			steps: []step{
				{allocate: ask("a/1"), want: "192.0.2.0"},
				{allocate: ask("a/2"), want: "192.0.2.1"},
				{allocate: ask("b/1"), want: "198.51.100.0"},
			},
		},
		"the highest first": {
			order: Descending,
			pools: []string{"global: 192.0.2.0/24 198.51.100.0/31"},
			steps: []step{
				{allocate: ask("a/1"), want: "198.51.100.1"},
				{allocate: ask("a/2"), want: "198.51.100.0"},
				{allocate: ask("b/1"), want: "192.0.2.255"},
			},
		},
		"a namespace with a pool never falls over into the global one": {
			pools: []string{"global: 192.0.2.0/24", "a: 198.51.100.0/32"},
			steps: []step{
				{allocate: ask("a/1"), want: "198.51.100.0"},
				{allocate: ask("a/2"), refused: `pool "a" has no free IPv4 address`},
				{allocate: ask("a/2", exactly("192.0.2.0")), refused: `address 192.0.2.0 is not in pool "a"`},
				{allocate: ask("a/2", families(0, IPv6)), refused: `pool "a" has no IPv6 addresses`},
				{allocate: ask("b/1"), want: "192.0.2.0"},
			},
		},
		"no pool": {
			pools: []string{"a: 198.51.100.0/32"},
			steps: []step{
				{allocate: ask("b/1"), refused: `no pool serves the namespace: it has none of its own and there is no "global" one`},
				{allocate: ask("b/1", exactly("198.51.100.0")), refused: `no pool serves the namespace: it has none of its own and there is no "global" one`},
			},
		},
		"by number": {
			pools: []string{"global: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", exactly("192.0.2.7")), want: "192.0.2.7"},
				{allocate: ask("a/1", exactly("192.0.2.7")), want: "192.0.2.7"},
				{allocate: ask("b/1", exactly("192.0.2.7")), refused: "address 192.0.2.7 is taken by a/1: it is not shared without a sharing key"},
				{allocate: ask("b/1", exactly("192.0.3.7")), refused: `address 192.0.3.7 is not in pool "global"`},
			},
		},
		"another number: the new one before the old one is lost": {
			pools: []string{"global: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", exactly("192.0.2.1")), want: "192.0.2.1"},
				{allocate: ask("a/2", exactly("192.0.2.2")), want: "192.0.2.2"},
				{allocate: ask("a/1", exactly("192.0.2.2")), refused: "address 192.0.2.2 is taken by a/2: it is not shared without a sharing key"},
				{allocate: ask("a/1", exactly("192.0.2.3")), want: "192.0.2.3"},
				{allocate: ask("a/3", exactly("192.0.2.1")), want: "192.0.2.1"},
			},
		},
		"a request withdrawn keeps the address": {
			pools: []string{"global: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", exactly("192.0.2.9")), want: "192.0.2.9"},
				{allocate: ask("a/1"), want: "192.0.2.9"},
			},
		},
		"both families, in the order wanted": {
			pools: []string{"global: 192.0.2.0/24 2001:db8::/64"},
			steps: []step{
				{allocate: ask("a/1", both), want: "192.0.2.0 2001:db8::"},
				{allocate: ask("a/2", v6first), want: "2001:db8::1 192.0.2.1"},
				{allocate: ask("a/1", v6first), want: "2001:db8:: 192.0.2.0"},
				{allocate: ask("a/3", both, exactly("2001:db8::7")), want: "192.0.2.2 2001:db8::7"},
				{allocate: ask("a/4", both, exactly("2001:db8::8 192.0.2.8")), want: "192.0.2.8 2001:db8::8"},
			},
		},
		"both families or none": {
			pools: []string{"global: 192.0.2.0/24 2001:db8::/128"},
			steps: []step{
				{allocate: ask("a/1", both), want: "192.0.2.0 2001:db8::"},
				{allocate: ask("a/2", both), refused: `pool "global" has no free IPv6 address`},
				{allocate: ask("a/2"), want: "192.0.2.1"},
				{allocate: ask("a/2", both), refused: `pool "global" has no free IPv6 address`},
			},
		},
		"preferring both takes what there is": {
			pools: []string{"global: 192.0.2.0/31 2001:db8::/128"},
			steps: []step{
				{allocate: ask("a/1", prefer), want: "192.0.2.0 2001:db8::"},
				{allocate: ask("a/2", prefer), want: "192.0.2.1"},
				{allocate: ask("a/3", prefer), refused: `pool "global" has no free IPv4 address`},
				{allocate: ask("a/1"), want: "192.0.2.0"}, // and frees the other
				{allocate: ask("a/2", prefer), want: "192.0.2.1 2001:db8::"},
			},
		},
		"preferring both does not make up for an exact request": {
			pools: []string{"global: 192.0.2.0/31 2001:db8::/64"},
			steps: []step{
				{allocate: ask("a/1", exactly("192.0.2.0")), want: "192.0.2.0"},
				{allocate: ask("a/2", prefer, exactly("192.0.2.0")), refused: "address 192.0.2.0 is taken by a/1: it is not shared without a sharing key"},
				{allocate: ask("a/2", prefer, exactly("192.0.2.4")), refused: `address 192.0.2.4 is not in pool "global"`},
			},
		},
		"from one family to the other": {
			pools: []string{"global: 192.0.2.0/32 2001:db8::/128"},
			steps: []step{
				{allocate: ask("a/1"), want: "192.0.2.0"},
				{allocate: ask("a/2", families(0, IPv6)), want: "2001:db8::"},
				{allocate: ask("a/1", families(0, IPv6)), refused: `pool "global" has no free IPv6 address`},
				{allocate: ask("a/2", prefer), want: "2001:db8::"},
			},
		},
		"overlapping pools give nothing twice": {
			pools: []string{"global: 192.0.2.0/30", "a: 192.0.2.1-192.0.2.5"},
			steps: []step{
				{allocate: ask("a/1"), want: "192.0.2.1"},
				{allocate: ask("b/1"), want: "192.0.2.0"},
				{allocate: ask("b/2"), want: "192.0.2.2"},
				{allocate: ask("a/2"), want: "192.0.2.3"},
				{allocate: ask("b/3"), refused: `pool "global" has no free IPv4 address`},
				{allocate: ask("a/3"), want: "192.0.2.4"},
			},
		},
		"the ends of the address space": {
			pools: []string{"global: 0.0.0.0/0 ::/0"},
			steps: []step{
				{allocate: ask("a/1", both), want: "0.0.0.0 ::"},
				{allocate: ask("a/2", both, exactly("255.255.255.255 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), want: "255.255.255.255 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
				{allocate: ask("a/1", both, exactly("0.0.0.1 ::1")), want: "0.0.0.1 ::1"},
				{allocate: ask("a/3", both), want: "0.0.0.0 ::"},
				{allocate: ask("a/4", both), want: "0.0.0.2 ::2"},
			},
		},
		"the ends of the address space, downwards": {
			order: Descending,
			pools: []string{"global: 0.0.0.0/0 ::/0"},
			steps: []step{
				{allocate: ask("a/1", both), want: "255.255.255.255 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
				{allocate: ask("a/2", both, exactly("0.0.0.0 ::")), want: "0.0.0.0 ::"},
				{allocate: ask("a/2", both, exactly("0.0.0.1 ::1")), want: "0.0.0.1 ::1"},
				{allocate: ask("a/1", both, exactly("0.0.0.0 ::")), want: "0.0.0.0 ::"},
				{allocate: ask("a/3", both), want: "255.255.255.255 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
				{allocate: ask("a/4", both), want: "255.255.255.254 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
			},
		},
		"IPv4-mapped addresses are in no pool": {
			pools: []string{"global: ::fffe:ffff:ffff-::1:0:0:1"},
			steps: []step{
				{allocate: ask("a/1", families(0, IPv6)), want: "::fffe:ffff:ffff"},
				{allocate: ask("a/2", families(0, IPv6)), want: "::1:0:0:0"},
				{allocate: ask("a/3", exactly("10.0.0.1")), refused: `address 10.0.0.1 is not in pool "global"`},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { run(t, pools(t, test.order, test.pools...), test.steps) })
	}
}

func TestInvalidRequests(t *testing.T) {
	both := families(0, IPv4, IPv6)
	tests := map[string]struct {
		request Request
		want    string
	}{
		"no family":             {ask("a/1", families(0)), "no IP family is wanted"},
		"unknown family":        {ask("a/1", families(0, 5)), "IPv5 is no IP family"},
		"family twice":          {ask("a/1", families(0, IPv4, IPv4)), "IPv4 is wanted twice"},
		"three families":        {ask("a/1", families(0, IPv4, IPv6, IPv6)), "IPv6 is wanted twice"},
		"more required":         {ask("a/1", families(2, IPv4)), "2 of 1 IP families are required"},
		"less than none":        {ask("a/1", families(-1, IPv4)), "-1 of 1 IP families are required"},
		"unknown protocol":      {ask("a/1", ports(Port{"TCP", 80}, Port{"ICMP", 8})), "port ICMP/8: the protocol is none of TCP, UDP, SCTP"},
		"no protocol":           {ask("a/1", ports(Port{"", 80})), "port /80: the protocol is none of TCP, UDP, SCTP"},
		"IPv4-mapped":           {ask("a/1", both, exactly("::ffff:192.0.2.1")), "::ffff:192.0.2.1 is not a plain IPv4 or IPv6 address"},
		"with a zone":           {ask("a/1", both, exactly("fe80::1%eth0")), "fe80::1%eth0 is not a plain IPv4 or IPv6 address"},
		"two of a family":       {ask("a/1", both, exactly("192.0.2.1 192.0.2.2")), "192.0.2.1 and 192.0.2.2 are both requested; one IPv4 address is given"},
		"two of the second":     {ask("a/1", both, exactly("192.0.2.1 2001:db8::1 2001:db8::2")), "2001:db8::1 and 2001:db8::2 are both requested; one IPv6 address is given"},
		"a family not wanted":   {ask("a/1", exactly("2001:db8::1")), "2001:db8::1 is requested but IPv6 is not wanted"},
		"an address that isn't": {ask("a/1", func(r *Request) { r.Addresses = make([]netip.Addr, 1) }), "invalid IP is not a plain IPv4 or IPv6 address"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := pools(t, Ascending, "global: 192.0.2.0/24 2001:db8::/64")
			run(t, a, []step{{allocate: test.request, refused: "invalid request: " + test.want}})
		})
	}
}

// TestError asks for what a caller may ask of a refusal.
func TestError(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/32")
	run(t, a, []step{{allocate: ask("a/1", key("k")), want: "192.0.2.0"}})
	_, err := a.Allocate(ask("b/1", exactly("192.0.2.0"), key("k")))
	if !errors.Is(err, Taken) || errors.Is(err, Exhausted) {
		t.Errorf("%v is not Taken, or Exhausted too", err)
	}
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("%v is no *Error", err)
	}
	want := Error{
		Reason: Taken, Family: IPv4, Address: netip.MustParseAddr("192.0.2.0"),
		Holder: Owner{"a", "1"}, Port: Port{"TCP", 80}, Detail: "both use TCP/80",
	}
	if *refusal != want {
		t.Errorf("got %#v, want %#v", *refusal, want)
	}
}

func TestUsageOfHugePools(t *testing.T) {
	a := pools(t, Ascending, "global: 2001:db8::/48 192.0.2.0/24", "a: ::/0")
	run(t, a, []step{
		{allocate: ask("a/1", families(0, IPv6), exactly("2001:db8::5")), want: "2001:db8::5"},
		{allocate: ask("b/1"), want: "192.0.2.0"},
	})
	want := []Usage{
		{"global", IPv4, 256, 1},
		{"global", IPv6, math.Exp2(80), 1},
		{"a", IPv6, math.Exp2(128), 1},
	}
	got := a.Usage()
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
}
