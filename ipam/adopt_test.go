package ipam

import (
	"net/netip"
	"slices"
	"testing"
)

func TestAdopt(t *testing.T) {
	tests := map[string]struct {
		adopt []Request
		want  []string // the conflicts of the last one
		holds string   // what the last one holds then
	}{
		"free":             {[]Request{ask("a/1", exactly("192.0.2.5"))}, nil, "192.0.2.5"},
		"outside any pool": {[]Request{ask("a/1", exactly("203.0.113.1 2001:db8::1"))}, nil, "203.0.113.1 2001:db8::1"},
		"more of a family": {[]Request{ask("a/1", exactly("192.0.2.1 192.0.2.2 192.0.2.3"))}, nil, "192.0.2.1 192.0.2.2 192.0.2.3"},
		"beside the rest": {
			[]Request{ask("a/1", exactly("192.0.2.1")), ask("a/1", exactly("192.0.2.2 192.0.2.1"))},
			nil, "192.0.2.1 192.0.2.2",
		},
		"the plain form": {[]Request{ask("a/1", exactly("::ffff:192.0.2.1 2001:db8::1%eth0"))}, nil, "192.0.2.1 2001:db8::1"},
		"nothing":        {[]Request{ask("a/1", func(r *Request) { r.Addresses = make([]netip.Addr, 1) })}, nil, ""},
		"held": {
			[]Request{ask("a/1", exactly("192.0.2.1")), ask("b/1", exactly("192.0.2.1 192.0.2.2"), key("k"))},
			[]string{"address 192.0.2.1 is also held by a/1: the sharing keys differ"},
			"192.0.2.1 192.0.2.2",
		},
		"shared": {
			[]Request{ask("a/1", exactly("192.0.2.1"), key("k")), ask("b/1", exactly("192.0.2.1"), key("k"), ports(Port{"UDP", 80}))},
			nil, "192.0.2.1",
		},
		"shared but for some": {
			[]Request{
				ask("a/1", exactly("192.0.2.1"), key("k")),
				ask("b/1", exactly("192.0.2.1"), key("k"), ports(Port{"UDP", 80})),
				ask("c/1", exactly("192.0.2.1")),
				ask("d/1", exactly("192.0.2.1"), key("k")),
			},
			[]string{
				"address 192.0.2.1 is also held by a/1: both use TCP/80",
				"address 192.0.2.1 is also held by c/1: the sharing keys differ",
			},
			"192.0.2.1",
		},
		"a protocol no Service has": {
			[]Request{ask("a/1", exactly("192.0.2.1"), ports(Port{"", 80}))}, nil, "192.0.2.1",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := pools(t, Ascending, "global: 192.0.2.0/24")
			var got []string
			for _, r := range test.adopt {
				got = nil
				for _, c := range a.Adopt(r) {
					got = append(got, c.String())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("conflicts %q, want %q", got, test.want)
			}
			last := test.adopt[len(test.adopt)-1].Owner
			if holds, _ := a.Holding(last); text(holds) != test.holds {
				t.Errorf("%s holds %s, want %s", last, text(holds), test.holds)
			}
		})
	}
}

// TestContention follows two who hold the same address until one gives way.
func TestContention(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/24")
	at, k := exactly("192.0.2.0"), key("k")
	a.Adopt(ask("a/1", at, k))
	a.Adopt(ask("b/1", at, k))
	run(t, a, []step{
		{allocate: ask("a/1", k), refused: "address 192.0.2.0 is taken by b/1: both use TCP/80"},
		{allocate: ask("b/1", k), refused: "address 192.0.2.0 is taken by a/1: both use TCP/80"},
		{allocate: ask("c/1", k, at, ports(Port{"UDP", 80})), refused: "address 192.0.2.0 is taken by a/1: its holders contend for it"},
		{allocate: ask("c/1", k, ports(Port{"UDP", 80})), want: "192.0.2.1"},
		{allocate: ask("b/1", k, ports(Port{"TCP", 443})), want: "192.0.2.0"},
		{allocate: ask("a/1", k), want: "192.0.2.0"},
		{allocate: ask("c/1", k, at, ports(Port{"UDP", 80})), want: "192.0.2.0"},
	})
	want := []Owner{{"a", "1"}, {"b", "1"}, {"c", "1"}}
	if got := a.Holders(netip.MustParseAddr("192.0.2.0")); !slices.Equal(got, want) {
		t.Errorf("holders %v, want %v", got, want)
	}
}

// TestAllocateAfterAdopt sees what was adopted kept, and what is too much given up.
func TestAllocateAfterAdopt(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/24")
	a.Adopt(ask("a/1", exactly("203.0.113.1 203.0.113.2 2001:db8::1")))
	run(t, a, []step{
		{allocate: ask("a/1", exactly("203.0.113.2")), want: "203.0.113.2"},
		{allocate: ask("a/1"), want: "203.0.113.2"},
		{allocate: ask("a/1", exactly("203.0.113.1")), refused: `address 203.0.113.1 is not in pool "global"`},
		{allocate: ask("a/1", exactly("192.0.2.4")), want: "192.0.2.4"},
	})
}

func TestRelease(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/24 2001:db8::/64")
	run(t, a, []step{
		{allocate: ask("a/1", families(0, IPv6, IPv4), key("k")), want: "2001:db8:: 192.0.2.0"},
		{allocate: ask("a/2", key("k"), ports()), want: "192.0.2.0"},
	})
	if got := text(a.Release(Owner{"a", "1"})); got != "2001:db8:: 192.0.2.0" {
		t.Errorf("released %s", got)
	}
	for _, owner := range []Owner{{"a", "1"}, {"a", "3"}, {"no such namespace", "1"}} {
		if got := a.Release(owner); got != nil {
			t.Errorf("released %s, which %s did not hold", text(got), owner)
		}
		if _, held := a.Holding(owner); held {
			t.Errorf("%s holds something", owner)
		}
	}
	run(t, a, []step{
		{allocate: ask("b/1", families(0, IPv4, IPv6)), want: "192.0.2.1 2001:db8::"},
	})
}

// TestFreed looks at each way in which a request may become worth repeating.
func TestFreed(t *testing.T) {
	https := ports(Port{"TCP", 443})
	allocate := func(r Request, refused bool) func(*testing.T, *Allocator) {
		return func(t *testing.T, a *Allocator) {
			if _, err := a.Allocate(r); err != nil != refused {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]struct {
		do    func(*testing.T, *Allocator)
		freed bool
	}{
		"nothing":         {func(*testing.T, *Allocator) {}, false},
		"the same again":  {allocate(ask("a/1", key("k")), false), false},
		"another one":     {allocate(ask("a/2"), false), false},
		"a refusal":       {allocate(ask("a/1", exactly("203.0.113.1")), true), false},
		"a port":          {allocate(ask("a/1", key("k"), https), false), true},
		"a key":           {allocate(ask("a/1", key("l")), false), true},
		"a move":          {allocate(ask("a/1", key("k"), exactly("192.0.2.9")), false), true},
		"a release":       {func(_ *testing.T, a *Allocator) { a.Release(Owner{"a", "1"}) }, true},
		"release of none": {func(_ *testing.T, a *Allocator) { a.Release(Owner{"a", "7"}) }, false},
		"the pools":       {func(_ *testing.T, a *Allocator) { a.SetPools(Ascending, nil) }, true},
		"adoption":        {func(_ *testing.T, a *Allocator) { a.Adopt(ask("a/9", exactly("192.0.2.9"))) }, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := pools(t, Ascending, "global: 192.0.2.0/24")
			run(t, a, []step{{allocate: ask("a/1", key("k")), want: "192.0.2.0"}})
			before := a.Freed()
			if test.do(t, a); a.Freed() != before != test.freed {
				t.Errorf("Freed went from %d to %d", before, a.Freed())
			}
		})
	}
}

// TestZeroAddress asks about no address at all.
func TestZeroAddress(t *testing.T) {
	a := pools(t, Ascending, "global: ::/0")
	run(t, a, []step{{allocate: ask("a/1", families(0, IPv6)), want: "::"}})
	if got := a.Holders(netip.Addr{}); got != nil {
		t.Errorf("held by %v", got)
	}
	if a.InPool("a", netip.Addr{}) {
		t.Error("in a pool")
	}
}
