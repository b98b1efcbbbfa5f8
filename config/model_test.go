package config_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/heraldlb/herald/config"
)

// TestAddressesAgainstModel compares a pool with one that enumerates a small
// part of the address space.
func TestAddressesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]string{"10.0.0.0", "2001:db8::"}).Draw(t, "base")
		skip := rapid.Bool().Draw(t, "skip ends")
		space := enumerate(netip.MustParseAddr(base), 64)
		lists := map[string][]string{}
		model := map[netip.Addr]bool{}

		for range rapid.IntRange(1, 5).Draw(t, "entries") {
			at, end := drawEnds(t, len(space))
			if rapid.Bool().Draw(t, "as CIDR") {
				prefix := netip.PrefixFrom(space[at], space[at].BitLen()-rapid.IntRange(0, 5).Draw(t, "host bits")).Masked()
				lists["cidr-a"] = append(lists["cidr-a"], prefix.String())
				for _, a := range space {
					if prefix.Contains(a) && (!skip || !isReserved(prefix, a)) {
						model[a] = true
					}
				}
				continue
			}
			lists["range-a"] = append(lists["range-a"], fmt.Sprintf("%s-%s", space[at], space[end]))
			for _, a := range space[at : end+1] {
				model[a] = true
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "excludes") {
			at, end := drawEnds(t, len(space))
			lists["exclude-a"] = append(lists["exclude-a"], fmt.Sprintf("%s-%s", space[at], space[end]))
			for _, a := range space[at : end+1] {
				delete(model, a)
			}
		}

		data := map[string]string{"skip-end-ips-in-cidr": fmt.Sprint(skip)}
		for key, list := range lists {
			data[key] = strings.Join(list, ",")
		}
		compare(t, data, space, model)
	})
}

func compare(t *rapid.T, data map[string]string, space []netip.Addr, model map[netip.Addr]bool) {
	c, faults := config.Parse(data)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	pool, ok := c.Pool("a")
	if !ok {
		t.Fatal("no pool")
	}
	for _, a := range space {
		if got := pool.Addresses.Contains(a); got != model[a] {
			t.Errorf("%v: has %s: %t, want %t", data, a, got, model[a])
		}
	}
	ipv4, ipv6 := pool.Size()
	if got := ipv4.Int64() + ipv6.Int64(); got != int64(len(model)) {
		t.Errorf("%v: size %d, want %d", data, got, len(model))
	}
}

func enumerate(a netip.Addr, n int) []netip.Addr {
	var space []netip.Addr
	for range n {
		space = append(space, a)
		a = a.Next()
	}
	return space
}

func drawEnds(t *rapid.T, n int) (at, end int) {
	at = rapid.IntRange(0, n-1).Draw(t, "first")
	return at, rapid.IntRange(at, n-1).Draw(t, "last")
}

// isReserved tells whether a is an end of the prefix that is to be skipped.
func isReserved(prefix netip.Prefix, a netip.Addr) bool {
	first := a == prefix.Addr()
	last := !prefix.Contains(a.Next())
	return prefix.Bits() < a.BitLen()-1 && (first || last && a.Is4())
}
