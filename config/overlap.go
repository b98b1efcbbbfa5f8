package config

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// checkOverlaps warns of pools that hold the same address, once for each two.
func (p *parser) checkOverlaps(pools []Pool) {
	type pair struct{ a, b string }
	seen := make(map[pair]bool)
	for a, b := range overlaps(pools) {
		if p.Full() {
			return
		}
		// The namespace's pool is named as the culprit, not the global one.
		if b.scope == Global || a.scope != Global && b.scope < a.scope {
			a, b = b, a
		}
		if seen[pair{a.scope, b.scope}] {
			continue
		}
		seen[pair{a.scope, b.scope}] = true
		common := intersection(a.IPRange, b.IPRange)
		other, culprit := naming(p.scopes[a.scope].entries, common.From()), naming(p.scopes[b.scope].entries, common.From())
		p.Add(culprit.fault(Warning, fmt.Sprintf("overlaps %s: both pools hold %s", other, FormatRange(common))))
	}
}

// span is a range of a pool.
type span struct {
	scope string
	netipx.IPRange
}

// overlaps yields every two ranges of different pools that have an address in
// common, by a sweep from the lowest address to the highest.
func overlaps(pools []Pool) iter.Seq2[span, span] {
	return func(yield func(a, b span) bool) {
		var open []span // ranges that the sweep is in, at most one of each pool
		for _, s := range sortedSpans(pools) {
			open = slices.DeleteFunc(open, func(o span) bool { return o.To().Less(s.From()) })
			for _, o := range open {
				if !yield(o, s) {
					return
				}
			}
			open = append(open, s)
		}
	}
}

func sortedSpans(pools []Pool) []span {
	var spans []span
	for _, pool := range pools {
		for _, r := range pool.Addresses.Ranges() {
			spans = append(spans, span{pool.Scope, r})
		}
	}
	slices.SortStableFunc(spans, func(a, b span) int { return a.From().Compare(b.From()) })
	return spans
}

// naming returns the first entry that names an address.
func naming(entries []entry, a netip.Addr) entry {
	return entries[slices.IndexFunc(entries, func(e entry) bool { return e.Contains(a) })]
}
