package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"go4.org/netipx"
)

// checkRepeats warns of entries of one pool that name an address twice.
func (p *parser) checkRepeats(s *scope) {
	byAddress := slices.SortedStableFunc(slices.Values(s.entries), func(a, b entry) int {
		return a.From().Compare(b.From())
	})
	var reach entry // the one before that ends last
	for i, e := range byAddress {
		if i > 0 && !reach.To().Less(e.From()) {
			first, second := reach, e
			if second.before(first) {
				first, second = second, first
			}
			p.Add(second.fault(Warning, "overlaps "+first.String()))
		}
		if i == 0 || reach.To().Less(e.To()) {
			reach = e
		}
	}
}

// checkExcludes warns of excludes that take nothing from the named addresses.
func (p *parser) checkExcludes(s *scope, named *netipx.IPSet) {
	if s.faulty {
		return // they may be meant for an entry that is missing
	}
	ranges := named.Ranges()
	for _, e := range s.excludes {
		after := sort.Search(len(ranges), func(i int) bool { return e.To().Less(ranges[i].From()) })
		if after == 0 || ranges[after-1].To().Less(e.From()) {
			p.Add(e.fault(Warning, fmt.Sprintf("excludes nothing: none of these addresses is in %s", strings.Join(s.pools, " or "))))
		}
	}
}

// checkLeft warns of addresses that are left but hardly of use, and of none.
func (p *parser) checkLeft(s *scope, left *netipx.IPSet) {
	if len(left.Ranges()) == 0 && !s.faulty {
		p.report(Warning, s.pools[0], "", fmt.Sprintf("no address is left after %s; Services of this scope get none", prefixExclude+s.name))
		return
	}
	for _, e := range s.entries {
		if b, ok := overlapping(doubtful(), e.IPRange); ok {
			p.Add(e.fault(Warning, fmt.Sprintf("holds addresses of %s: %s", b.Prefix, b.what)))
		}
		ends := slices.DeleteFunc(reservedEnds(e.IPRange), func(a netip.Addr) bool { return !left.Contains(a) })
		if len(ends) > 0 {
			p.Add(e.fault(Warning, endsReason(s, e, ends)))
		}
	}
}

// reservedEnds returns those of a range's ends that are likely not a host's.
// Segments are /24 and /64 more often than not. One address alone is meant.
func reservedEnds(r netipx.IPRange) []netip.Addr {
	var ends []netip.Addr
	first, last := r.From().As16(), r.To().As16()
	switch {
	case r.From() == r.To():
	case r.From().Is6():
		if [8]byte(first[8:]) == [8]byte{} {
			ends = append(ends, r.From())
		}
	default:
		if first[15] == 0 {
			ends = append(ends, r.From())
		}
		if last[15] == 255 {
			ends = append(ends, r.To())
		}
	}
	return ends
}

// endsReason says what is wrong with reserved ends, and how to avoid them.
func endsReason(s *scope, e entry, ends []netip.Addr) string {
	names, what := ends[0].String(), "the network or broadcast address on a /24 segment"
	if len(ends) > 1 {
		names += " and " + ends[1].String()
	}
	if e.From().Is6() {
		what = "the subnet-router anycast address on a /64 segment (RFC 4291 section 2.6.1)"
	}
	remedy := prefixExclude + s.name
	if e.isCIDR() {
		remedy = keySkipEnds + " or " + remedy
	}
	return fmt.Sprintf("hands out %s, %s; avoid with %s", names, what, remedy)
}

// checkEffect warns of keys that no Service can feel, for want of a pool.
func (p *parser) checkEffect(anyPool bool) {
	hasGlobal := p.scope(Global).hasPool()
	for _, name := range slices.Sorted(maps.Keys(p.scopes)) {
		s := p.scopes[name]
		if s.hasPool() {
			continue
		}
		reason := fmt.Sprintf("without effect: there is no %s or %s", prefixCIDR+name, prefixRange+name)
		if len(s.excludes) > 0 {
			p.report(Warning, prefixExclude+name, "", reason)
		}
		fallback := name == Global && anyPool // namespaces' pools fall back to these two
		if s.share != nil && !fallback {
			p.report(Warning, prefixShare+name, "", reason)
		}
		if s.iface != "" && !fallback && !hasGlobal { // who draws from the global pool may name an interface
			p.report(Warning, prefixInterface+name, "", reason)
		}
		if s.announce != nil && !fallback && !hasGlobal {
			p.report(Warning, prefixAnnounce+name, "", reason)
		}
	}
}
