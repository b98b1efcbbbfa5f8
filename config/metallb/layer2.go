package metallb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/fault"
)

// choose returns the pools that an advertisement is for.
func (c *converter) choose(o object, s selected) []*pool {
	for i, name := range s.names {
		if !slices.ContainsFunc(c.pools, func(p *pool) bool { return p.name == name }) {
			c.differ(o, fmt.Sprintf("ipAddressPools[%d]", i), "there is no such IPAddressPool")
		}
	}
	var chosen []*pool
	for _, p := range c.pools {
		byLabels := func(s selector) bool { return s.matches(p.labels) }
		if s.all() || slices.Contains(s.names, p.name) || slices.ContainsFunc(s.selectors, byLabels) {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// convertL2 notes which pools are announced by layer 2, and what is said beside it.
func (c *converter) convertL2(a *l2Advertisement) {
	for _, p := range c.choose(a.object, a.pools) {
		p.l2 = true
		if len(a.interfaces) == 0 {
			p.everywhere = true
		}
		p.interfaces = append(p.interfaces, a.interfaces...)
		for _, s := range p.scopes {
			s.l2 = true
		}
	}
	if len(a.nodes) > 0 {
		c.leaveOut(a.object, "nodeSelectors", "any node may answer that has the address on-link; the label node.kubernetes.io/exclude-from-external-load-balancers keeps all addresses from a node")
	}
	if len(a.services) > 0 {
		c.leaveOut(a.object, "serviceSelectors", "the addresses of all Services of the pools are announced")
	}
	if a.prefers {
		c.leaveOut(a.object, "preferredNodeSelectors", "the nodes settle who answers, and who does keeps the address")
	}
	if len(a.interfaces) > 1 {
		c.leaveOut(a.object, "interfaces", "interface- names one; without it, an address is announced on each that has it on-link")
	}
}

// setInterfaces names a scope's interface, where all of its pools have just that one.
func (c *converter) setInterfaces() {
	for name, s := range c.scopes {
		named := make(map[string]bool)
		for _, p := range s.pools {
			if p.everywhere {
				named[""] = true
			}
			for _, iface := range p.interfaces {
				named[iface] = true
			}
		}
		if one := slices.Collect(maps.Keys(named)); len(one) == 1 && refusal("interface-"+name, one[0]) == "" {
			s.iface = one[0]
		}
	}
	global := c.scopes[config.Global]
	for _, a := range c.l2 {
		if len(a.interfaces) != 1 {
			continue
		}
		if reason := c.unnamed(a); reason != "" {
			c.leaveOut(a.object, "interfaces", reason)
		}
	}
	if global == nil || global.iface == "" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.scopes)) {
		if s := c.scopes[name]; s.iface == "" && s.l2 {
			c.leaveOut(s.pools[0].object, "serviceAllocation.namespaces", fmt.Sprintf("interface-%s is for pools of namespaces without one too: they are announced on %s alone", config.Global, fault.Quote(global.iface)))
		}
	}
}

// unnamed says which scopes do not have the interface that an advertisement names.
func (c *converter) unnamed(a *l2Advertisement) string {
	var without []string
	for _, name := range slices.Sorted(maps.Keys(c.scopes)) {
		s := c.scopes[name]
		if s.iface == a.interfaces[0] {
			continue
		}
		for _, p := range s.pools {
			if slices.Contains(p.interfaces, a.interfaces[0]) {
				without = append(without, "interface-"+name)
				break
			}
		}
	}
	if len(without) == 0 {
		return ""
	}
	if reason := refusal("interface-"+config.Global, a.interfaces[0]); reason != "" {
		return reason
	}
	return fmt.Sprintf("not as %s: other addresses there are announced elsewhere", strings.Join(without, ", "))
}
