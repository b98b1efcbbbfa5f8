package election

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func addrs(n int) []netip.Addr {
	all := make([]netip.Addr, 0, n)
	for v4, v6 := netip.MustParseAddr("10.1.0.0"), netip.MustParseAddr("2001:db8::"); len(all) < n; {
		all = append(all, v4, v6)
		v4, v6 = v4.Next(), v6.Next()
	}
	return all[:n]
}

func nodes(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("worker-%d.example.org", i)
	}
	return all
}

// foremost returns the heaviest name for each address. The order of names does
// not matter.
func foremost(t *testing.T, addrs []netip.Addr, names []string) map[netip.Addr]string {
	t.Helper()
	shuffled := slices.Clone(names)
	all := make(map[netip.Addr]string, len(addrs))
	for _, addr := range addrs {
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		first := Heaviest(addr, shuffled, 1)
		if again := Heaviest(addr, names, 1); !slices.Equal(first, again) {
			t.Fatalf("%s: %v or %v, by the order of the names", addr, first, again)
		}
		all[addr] = first[0]
	}
	return all
}

// Nodes of different versions must come to the same owner. A change of these
// values splits a cluster for as long as its update takes.
func TestWeightGolden(t *testing.T) {
	tests := []struct {
		addr, node string
		weight     uint64
	}{
		{"192.0.2.1", "node-1", 0xab21aed3ac4d9deb},
		{"192.0.2.1", "node-2", 0xf013f843a843e9d0},
		{"192.0.2.2", "node-1", 0xf5555a65acb73895},
		{"2001:db8::1", "node-1", 0x4c2370e09ffc7389},
		{"2001:db8::1", "", 0x8dec2b2d0b0e530f},
	}
	for _, test := range tests {
		if got := weight(test.node, netip.MustParseAddr(test.addr)); got != test.weight {
			t.Errorf("weight(%q, %s) = %#x, want %#x", test.node, test.addr, got, test.weight)
		}
	}
	eligible := []string{"node-1", "node-2", "node-3"}
	for addr, want := range map[string]string{
		"192.0.2.1": "node-2", "192.0.2.2": "node-1", "192.0.2.3": "node-3", "192.0.2.4": "node-3",
		"2001:db8::1": "node-2", "2001:db8::2": "node-1", "2001:db8::3": "node-1", "2001:db8::4": "node-2",
	} {
		if got := Heaviest(netip.MustParseAddr(addr), eligible, 1); got[0] != want {
			t.Errorf("heaviest for %s is %s, want %s", addr, got[0], want)
		}
	}
}

// An address that is written as IPv6 is the same address.
func TestWeightIgnoresMapping(t *testing.T) {
	v4 := netip.MustParseAddr("192.0.2.1")
	mapped := netip.AddrFrom16(v4.As16())
	for _, node := range nodes(10) {
		if weight(node, v4) != weight(node, mapped) {
			t.Errorf("%s and %s weigh differently on %s", v4, mapped, node)
		}
	}
}

func TestRankingMovesNoMoreThanItMust(t *testing.T) {
	all, eligible := addrs(5_000), nodes(10)
	before := foremost(t, all, eligible)
	for i, gone := range eligible {
		heirs := map[string]bool{}
		for addr, owner := range foremost(t, all, slices.Delete(slices.Clone(eligible), i, i+1)) {
			switch {
			case before[addr] == gone:
				heirs[owner] = true
			case owner != before[addr]:
				t.Errorf("%s left, and %s moved from %s to %s", gone, addr, before[addr], owner)
			}
		}
		if len(heirs) != len(eligible)-1 {
			t.Errorf("%s left its addresses to %d nodes, want all %d", gone, len(heirs), len(eligible)-1)
		}
	}
}

// Chi-square over the nodes: neighbouring addresses and similar names spread as
// if drawn at random.
func TestRankingIsEven(t *testing.T) {
	all := addrs(30_000)
	for _, n := range []int{2, 3, 5, 10, 30, 100} {
		count := map[string]int{}
		for _, owner := range foremost(t, all, nodes(n)) {
			count[owner]++
		}
		expected, chi2 := float64(len(all))/float64(n), 0.0
		for _, node := range nodes(n) {
			d := float64(count[node]) - expected
			chi2 += d * d / expected
		}
		// Mean n-1, variance 2(n-1): five standard deviations above it.
		if freedom := float64(n - 1); chi2 > freedom+5*math.Sqrt(2*freedom) {
			t.Errorf("%d nodes: chi-square %.1f: %v", n, chi2, count)
		}
	}
}

func TestHeaviest(t *testing.T) {
	names := nodes(20)
	for _, addr := range addrs(50) {
		all := Heaviest(addr, names, len(names))
		left := slices.Clone(names)
		for i, name := range all {
			for _, other := range left {
				if weight(other, addr) > weight(name, addr) {
					t.Fatalf("%s: number %d is %s, and %s weighs more", addr, i, name, other)
				}
			}
			left = slices.DeleteFunc(left, func(other string) bool { return other == name })
		}
		shuffled := slices.Clone(names)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if few := Heaviest(addr, shuffled, 3); !slices.Equal(few, all[:3]) {
			t.Errorf("%s: the first three of %v are not %v", addr, all, few)
		}
	}
	if !slices.Equal(names, nodes(20)) {
		t.Error("the names were put in another order")
	}
}

func TestHeaviestOfFew(t *testing.T) {
	addr := addrs(1)[0]
	if none := Heaviest(addr, nil, 3); none == nil || len(none) != 0 {
		t.Errorf("of none: %#v, want an empty list, not nil", none)
	}
	if two := Heaviest(addr, []string{"a", "b"}, 3); len(two) != 2 {
		t.Errorf("three of two: %v", two)
	}
}

func BenchmarkHeaviest(b *testing.B) {
	addr := netip.MustParseAddr("2001:db8::1")
	for _, n := range []int{3, 100, 1000} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			names := nodes(n)
			b.ReportAllocs()
			for b.Loop() {
				Heaviest(addr, names, 8)
			}
		})
	}
}
