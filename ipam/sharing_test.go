package ipam

import (
	"fmt"
	"testing"
)

func TestSharing(t *testing.T) {
	http, https, dns := ports(Port{"TCP", 80}), ports(Port{"TCP", 443}), ports(Port{"UDP", 80})
	tests := map[string]struct {
		order Order
		pools []string
		steps []step
	}{
		"by key, with different ports": {
			pools: []string{"global: 192.0.2.0/31"},
			steps: []step{
				{allocate: ask("a/1", key("k"), http), want: "192.0.2.0"},
				{allocate: ask("b/1", key("k"), https), want: "192.0.2.0"},
				{allocate: ask("b/2", key("k"), dns), want: "192.0.2.0"},
				{allocate: ask("b/3", key("k"), https), want: "192.0.2.1"},
				{allocate: ask("b/4", key("k"), https), refused: `pool "global" has no free IPv4 address`},
				{allocate: ask("b/4", key("k"), http), want: "192.0.2.1"},
			},
		},
		"not without a key, nor with another": {
			pools: []string{"global: 192.0.2.0/31"},
			steps: []step{
				{allocate: ask("a/1", key("k"), http), want: "192.0.2.0"},
				{allocate: ask("a/2", key("l"), https, exactly("192.0.2.0")), refused: "address 192.0.2.0 is taken by a/1: the sharing keys differ"},
				{allocate: ask("a/2", https, exactly("192.0.2.0")), refused: "address 192.0.2.0 is taken by a/1: the sharing keys differ"},
				{allocate: ask("a/2", key("l"), https), want: "192.0.2.1"},
			},
		},
		"the highest shared first": {
			order: Descending,
			pools: []string{"global: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", key("k"), http, exactly("192.0.2.3")), want: "192.0.2.3"},
				{allocate: ask("a/2", key("k"), http, exactly("192.0.2.5")), want: "192.0.2.5"},
				{allocate: ask("a/3", key("k"), https), want: "192.0.2.5"},
				{allocate: ask("a/4", key("k"), https), want: "192.0.2.3"},
				{allocate: ask("a/5", key("k"), https), want: "192.0.2.255"},
			},
		},
		"by pool": {
			pools: []string{"global: 192.0.2.0/24", "a,share: 198.51.100.0/24"},
			steps: []step{
				{allocate: ask("a/1", http), want: "198.51.100.0"},
				{allocate: ask("a/2", https), want: "198.51.100.0"},
				{allocate: ask("a/3", http), want: "198.51.100.1"},
				{allocate: ask("a/4", key("k"), dns), want: "198.51.100.2"},
				{allocate: ask("b/1", http), want: "192.0.2.0"},
				{allocate: ask("b/2", https), want: "192.0.2.1"},
			},
		},
		"by the pools of both": {
			pools: []string{"global: 192.0.2.0/24", "a,share: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", http), want: "192.0.2.0"},
				{allocate: ask("b/1", https, exactly("192.0.2.0")), refused: "address 192.0.2.0 is taken by a/1: it is not shared without a sharing key"},
				{allocate: ask("b/1", https), want: "192.0.2.1"},
				{allocate: ask("a/2", dns, exactly("192.0.2.1")), refused: "address 192.0.2.1 is taken by b/1: it is not shared without a sharing key"},
			},
		},
		"only in front of the same backends": {
			pools: []string{"global,share: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", http, backend("app=x")), want: "192.0.2.0"},
				{allocate: ask("a/2", https), want: "192.0.2.1"},
				{allocate: ask("a/3", https, backend("app=y"), exactly("192.0.2.0")), refused: "address 192.0.2.0 is taken by a/1: the backends differ"},
				{allocate: ask("a/3", https, backend("app=x")), want: "192.0.2.0"},
			},
		},
		"new ports that clash change nothing": {
			pools: []string{"global: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", key("k"), http), want: "192.0.2.0"},
				{allocate: ask("a/2", key("k"), https), want: "192.0.2.0"},
				{allocate: ask("a/2", key("k"), ports(Port{"TCP", 80}, Port{"TCP", 443})), refused: "address 192.0.2.0 is taken by a/1: both use TCP/80"},
				{allocate: ask("a/3", key("k"), https), want: "192.0.2.1"},
				{allocate: ask("a/2", key("k"), ports(Port{"TCP", 8080}, Port{"TCP", 443})), want: "192.0.2.0"},
				{allocate: ask("a/2", key("k"), dns), want: "192.0.2.0"},
				{allocate: ask("a/4", key("k"), https), want: "192.0.2.0"},
			},
		},
		"another key or other backends, in company": {
			pools: []string{"global: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", key("k"), http), want: "192.0.2.0"},
				{allocate: ask("a/1", key("l"), http), want: "192.0.2.0"},
				{allocate: ask("a/2", key("l"), https), want: "192.0.2.0"},
				{allocate: ask("a/1", key("k"), http), refused: "address 192.0.2.0 is taken by a/2: the sharing keys differ"},
				{allocate: ask("a/1", http), refused: "address 192.0.2.0 is taken by a/2: the sharing keys differ"},
				{allocate: ask("a/1", key("l"), http, backend("app=x")), refused: "address 192.0.2.0 is taken by a/2: the backends differ"},
			},
		},
		"no ports clash with none": {
			pools: []string{"global,share: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", ports()), want: "192.0.2.0"},
				{allocate: ask("a/2", ports()), want: "192.0.2.0"},
				{allocate: ask("a/3", http), want: "192.0.2.0"},
			},
		},
		"in both families": {
			pools: []string{"global: 192.0.2.0/24 2001:db8::/64"},
			steps: []step{
				{allocate: ask("a/1", key("k"), http), want: "192.0.2.0"},
				{allocate: ask("a/2", key("k"), http, families(0, IPv6)), want: "2001:db8::"},
				{allocate: ask("a/3", key("k"), https, families(0, IPv6, IPv4)), want: "2001:db8:: 192.0.2.0"},
				{allocate: ask("a/4", key("k"), http, families(0, IPv4, IPv6)), want: "192.0.2.1 2001:db8::1"},
			},
		},
		"a port more than once is one port": {
			pools: []string{"global,share: 192.0.2.0/24"},
			steps: []step{
				{allocate: ask("a/1", ports(Port{"TCP", 80}, Port{"TCP", 80})), want: "192.0.2.0"},
				{allocate: ask("a/1", http), want: "192.0.2.0"},
				{allocate: ask("a/2", https), want: "192.0.2.0"},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { run(t, pools(t, test.order, test.pools...), test.steps) })
	}
}

// TestManyShared fills addresses with every port but one in use, and looks for
// the gaps.
func TestManyShared(t *testing.T) {
	a := pools(t, Ascending, "global,share: 2001:db8::/64")
	v6 := families(0, IPv6)
	for i := range 1000 {
		low, high := Port{"TCP", 80}, Port{"UDP", 53}
		if i == 700 {
			low = Port{"TCP", 81}
		}
		name := fmt.Sprintf("a/%d", i)
		at := exactly(fmt.Sprintf("2001:db8::%x", 3*i))
		run(t, a, []step{{allocate: ask(name, v6, at, ports(low, high)), want: text(ask(name, at).Addresses)}})
	}
	run(t, a, []step{
		{allocate: ask("b/1", v6, ports(Port{"TCP", 80})), want: fmt.Sprintf("2001:db8::%x", 3*700)},
		{allocate: ask("b/2", v6, ports(Port{"TCP", 80})), want: "2001:db8::1"},
		{allocate: ask("b/3", v6, ports(Port{"TCP", 81})), want: "2001:db8::"},
		{allocate: ask("b/4", v6, ports(Port{"TCP", 443}, Port{"UDP", 53})), want: "2001:db8::1"},
		{allocate: ask("b/5", v6, ports(Port{"TCP", 443}, Port{"UDP", 53})), want: "2001:db8::2"},
	})
}
