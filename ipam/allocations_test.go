package ipam

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAllocations counts allocations of memory: the slice that is returned, and
// no other.
func TestAllocations(t *testing.T) {
	dual := func(r *Request) { r.Families, r.Required = []Family{IPv4, IPv6}, 1 }
	tests := map[string]struct {
		pool    string
		request Request
	}{
		"one family":                {"global: 10.0.0.0/8", ask("a/new")},
		"two families":              {"global: 10.0.0.0/8 2001:db8::/64", ask("a/new", dual)},
		"the second is not to have": {"global: 10.0.0.0/8", ask("a/new", dual)},
		"a long name":               {"global: 10.0.0.0/8", ask("a/" + strings.Repeat("n", 63))},
		"by number":                 {"global: 10.0.0.0/8", ask("a/new", exactly("10.200.0.0"))},
		"sharing an address":        {"global: 10.0.0.0/8", ask("a/new", key("k"), ports(Port{"TCP", 80}, Port{"UDP", 53}))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := pools(t, Ascending, test.pool)
			for i := range 10_000 {
				run(t, a, []step{{allocate: ask(fmt.Sprintf("a/%d", i)), want: nth(i)}})
			}
			run(t, a, []step{
				{allocate: ask("a/shares", key("k"), ports(Port{"TCP", 443})), want: nth(10_000)},
				{allocate: ask("b/shares", key("k"), ports(Port{"TCP", 80}, Port{"UDP", 53}), exactly(nth(10_001))), want: nth(10_001)},
			})
			allocate := func() {
				if _, err := a.Allocate(test.request); err != nil {
					t.Fatal(err)
				}
			}
			release := func() {
				if a.Release(test.request.Owner) == nil {
					t.Fatal("nothing to release")
				}
			}
			allocate()
			if n := testing.AllocsPerRun(1000, allocate); n > 1 {
				t.Errorf("%v allocations when asked again, want 1", n)
			}
			if n := testing.AllocsPerRun(1000, func() { release(); allocate() }); n > 2 {
				t.Errorf("%v allocations for release and allocate, want 1 each", n)
			}
		})
	}
}

// nth returns the address that is i above 10.0.0.0.
func nth(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff) }

// TestMany fills a pool, makes holes, fills them in order, and empties the pool.
func TestMany(t *testing.T) {
	const n = 50_000
	a := pools(t, Ascending, "global: 10.0.0.0/8")
	for i := range n {
		run(t, a, []step{{allocate: ask(fmt.Sprintf("a/%d", i)), want: nth(i)}})
	}
	for _, i := range rand.Perm(n / 2) {
		if got := text(a.Release(Owner{"a", fmt.Sprint(2 * i)})); got != nth(2*i) {
			t.Fatalf("released %s, want %s", got, nth(2*i))
		}
	}
	for i := range n / 2 {
		run(t, a, []step{{allocate: ask(fmt.Sprintf("b/%d", i)), want: nth(2 * i)}})
	}
	for _, i := range rand.Perm(n / 2) {
		a.Release(Owner{"a", fmt.Sprint(2*i + 1)})
		a.Release(Owner{"b", fmt.Sprint(i)})
	}
	if got, want := a.Usage()[0], (Usage{"global", IPv4, 1 << 24, 0}); got != want {
		t.Errorf("usage %v, want %v", got, want)
	}
	if free := a.pools[0].stock(IPv4).free.whole.tree.Len(); free != 1 {
		t.Errorf("%d free intervals, want 1", free)
	}
	run(t, a, []step{{allocate: ask("c/1"), want: "10.0.0.0"}})
}
