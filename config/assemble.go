package config

import (
	"maps"
	"slices"

	"go4.org/netipx"
)

// assemble makes the Config of all scopes that were read, and runs the checks
// that need more than one entry.
func (p *parser) assemble() *Config {
	global := p.scope(Global)
	config := &Config{
		Order:      p.order,
		interfaces: p.interfaces(),
		announced:  p.announced(),
		entries:    make(map[string][]entry),
	}
	for _, name := range slices.Sorted(maps.Keys(p.scopes)) {
		s := p.scopes[name]
		if !s.hasPool() {
			continue
		}
		config.entries[name] = s.entries
		config.Pools = append(config.Pools, Pool{
			Scope:     name,
			Addresses: p.addresses(s),
			Share:     s.sharing(global),
			Interface: config.Interface(name),
			Announce:  config.Announce(name),
		})
	}
	p.checkEffect(len(config.Pools) > 0)
	p.checkOverlaps(config.Pools)
	p.readBGP(config)
	return config
}

// interfaces returns those that are named, by scope.
func (p *parser) interfaces() map[string]string {
	named := make(map[string]string)
	for name, s := range p.scopes {
		if s.iface != "" {
			named[name] = s.iface
		}
	}
	return named
}

// addresses returns what may be handed out in a scope, and checks it.
func (p *parser) addresses(s *scope) *netipx.IPSet {
	var set netipx.IPSetBuilder
	for _, e := range s.entries {
		set.AddRange(p.withoutEnds(e))
	}
	named, _ := set.IPSet() // the only error is an invalid range
	for _, e := range s.excludes {
		set.RemoveRange(e.IPRange)
	}
	left, _ := set.IPSet()

	p.checkRepeats(s)
	p.checkExcludes(s, named)
	p.checkLeft(s, left)
	return left
}

// withoutEnds returns an entry's addresses less the ends that are to be
// skipped. In a CIDR of IPv4 they are the network and the broadcast address,
// but not in a /31 (RFC 3021) or /32; in one of IPv6, the subnet-router anycast
// address (RFC 4291 section 2.6.1), but not in a /127 (RFC 6164) or /128.
func (p *parser) withoutEnds(e entry) netipx.IPRange {
	if !p.skipEnds || !e.isCIDR() || e.From() == e.To() || e.From().Next() == e.To() {
		return e.IPRange
	}
	if e.From().Is4() {
		return netipx.IPRangeFrom(e.From().Next(), e.To().Prev())
	}
	return netipx.IPRangeFrom(e.From().Next(), e.To())
}

func (s *scope) hasPool() bool { return len(s.pools) > 0 }

// sharing falls back to the global scope, also for a namespace that has a pool
// of its own, as kube-vip does; interfaces do the same.
func (s *scope) sharing(global *scope) bool {
	if s.share == nil {
		s = global
	}
	return s.share != nil && *s.share
}
