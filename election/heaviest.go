package election

import (
	"cmp"
	"net/netip"
	"slices"
)

// Heaviest returns those n of names that stand most for addr, the foremost
// first: the order in which nodes take an address that nobody owns. The order of
// names does not matter, and stays.
func Heaviest(addr netip.Addr, names []string, n int) []string {
	type candidate struct {
		name   string
		weight uint64
	}
	n = min(n, len(names))
	best := make([]candidate, 0, n+1)
	for _, name := range names {
		c := candidate{name, weight(name, addr)}
		at, _ := slices.BinarySearchFunc(best, c, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.name, b.name))
		})
		if at < n {
			best = slices.Insert(best, at, c)
			best = best[:min(n, len(best))]
		}
	}
	heaviest := make([]string, len(best))
	for i, c := range best {
		heaviest[i] = c.name
	}
	return heaviest
}
