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
	candidates := make([]candidate, len(names))
	for i, name := range names {
		candidates[i] = candidate{name, weight(name, addr)}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.name, b.name))
	})
	heaviest := make([]string, min(n, len(candidates)))
	for i := range heaviest {
		heaviest[i] = candidates[i].name
	}
	return heaviest
}
