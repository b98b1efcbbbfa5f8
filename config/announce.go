package config

import (
	"fmt"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/config/fault"
)

// Announce is how addresses are announced: at least one of the two.
type Announce struct {
	// L2: one node answers for the address, by ARP and NDP.
	L2 bool
	// BGP: the nodes tell the routers of it.
	BGP bool
}

// How addresses are announced, as it is written.
const (
	announceL2  = "l2"
	announceBGP = "bgp"
)

// String returns it as it is written in the ConfigMap.
func (a Announce) String() string {
	var ways []string
	if a.L2 {
		ways = append(ways, announceL2)
	}
	if a.BGP {
		ways = append(ways, announceBGP)
	}
	return strings.Join(ways, ",")
}

// MarshalText implements encoding.TextMarshaler.
func (a Announce) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Announce returns how a namespace's addresses are announced, also those that have
// left its pool.
func (c *Config) Announce(namespace string) Announce {
	for _, scope := range []string{namespace, Global} {
		if a, said := c.announced[scope]; said {
			return a
		}
	}
	return Announce{L2: true}
}

// readAnnounce reads a list of ways.
func (p *parser) readAnnounce(s *scope, key, value string) {
	var a Announce
	for e := range splitList(key, value) {
		way := map[string]*bool{announceL2: &a.L2, announceBGP: &a.BGP}[e.text]
		switch {
		case way == nil:
			p.Add(e.fault(Error, fmt.Sprintf("must be %q, %q or both, separated by a comma", announceL2, announceBGP)))
		case *way:
			p.Add(e.fault(Warning, "named twice"))
		default:
			*way = true
		}
	}
	if a != (Announce{}) {
		s.announce = &a
	}
}

// announced returns how, by scope.
func (p *parser) announced() map[string]Announce {
	said := make(map[string]Announce)
	for name, s := range p.scopes {
		if s.announce != nil {
			said[name] = *s.announce
		}
	}
	return said
}

// readBGP reads bgp.yaml, once the pools are known, and holds both against each other.
func (p *parser) readBGP(config *Config) {
	byBGP := p.scopesByBGP()
	if p.bgp == nil {
		for _, scope := range byBGP {
			p.report(Error, prefixAnnounce+scope, "", "bgp, and there is no "+bgp.Key+" that names routers; these addresses would be silent")
		}
		return
	}
	var pools []bgp.Pool
	for _, pool := range config.Pools {
		pools = append(pools, bgp.Pool{
			Scope:     pool.Scope,
			Announced: pool.Announce.BGP || pool.Scope == Global && p.globalByBGP(),
			Addresses: p.named(pool.Scope),
		})
	}
	parsed, faults := bgp.ParseBeside(*p.bgp, pools)
	for _, f := range faults {
		p.Add(f)
	}
	if len(byBGP) == 0 {
		p.Add(fault.Fault{Severity: Warning, Key: bgp.Key, Reason: fmt.Sprintf(
			"no Service's address is told: no %s%s or %s<namespace> says bgp", prefixAnnounce, Global, prefixAnnounce)})
	}
	config.BGP = parsed
}

// scopesByBGP returns the scopes that say bgp, sorted.
func (p *parser) scopesByBGP() []string {
	var scopes []string
	for name, s := range p.scopes {
		if s.announce != nil && s.announce.BGP {
			scopes = append(scopes, name)
		}
	}
	slices.Sort(scopes)
	return scopes
}

// globalByBGP tells whether a namespace that draws from the global pool says bgp.
func (p *parser) globalByBGP() bool {
	return slices.ContainsFunc(p.scopesByBGP(), func(name string) bool { return !p.scopes[name].hasPool() })
}

// named returns what the pool's entries name, without what is left out of them.
func (p *parser) named(scope string) *netipx.IPSet {
	var set netipx.IPSetBuilder
	for _, e := range p.scopes[scope].entries {
		set.AddRange(e.IPRange)
	}
	named, _ := set.IPSet() // the only error is an invalid range
	return named
}
