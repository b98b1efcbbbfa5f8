package metallb

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/heraldlb/herald/config"
)

// scope is a namespace, or all that have no pool of their own, and what it gets.
type scope struct {
	pools    []*pool
	cidrs    []entry
	ranges   []entry
	excludes []string
	l2, bgp  bool
	iface    string
}

// entry is one of a pool's addresses.
type entry struct {
	text string
	netipx.IPRange
	from *pool
}

// write writes the keys of the scope.
func (s *scope) write(data map[string]string, name string) {
	put := func(prefix string, values []string) {
		if len(values) > 0 {
			data[prefix+name] = strings.Join(values, ", ")
		}
	}
	put("cidr-", words(s.cidrs))
	put("range-", words(s.ranges))
	put("exclude-", s.excludes)
	if s.iface != "" {
		put("interface-", []string{s.iface})
	}
}

func words(entries []entry) (all []string) {
	for _, e := range entries {
		all = append(all, e.text)
	}
	return all
}

// announced is how the scope's addresses are: by layer 2, unless something else is
// said.
func (s *scope) announced() string { return ways(s.l2 || !s.bgp, s.bgp) }

// ways returns how addresses are announced, as announce- has it.
func ways(l2, bgp bool) string { return config.Announce{L2: l2, BGP: bgp}.String() }

// placePool gives a pool's addresses to the scopes that they are for.
func (c *converter) placePool(p *pool) {
	names := c.scopeNames(p)
	if len(names) == 0 {
		return
	}
	cidrs, ranges := c.entries(p)
	if len(cidrs)+len(ranges) == 0 {
		c.leaveOut(p.object, "addresses", "none that Herald could hand out")
		return
	}
	for _, name := range names {
		s := c.scopes[name]
		if s == nil {
			s = &scope{}
			c.scopes[name] = s
		}
		s.pools = append(s.pools, p)
		s.cidrs = append(s.cidrs, cidrs...)
		s.ranges = append(s.ranges, ranges...)
		p.scopes = append(p.scopes, s)
	}
}

// scopeNames returns the scopes that a pool is for; none if it cannot be converted.
func (c *converter) scopeNames(p *pool) []string {
	const stay = "; Services that have one of them keep it"
	switch {
	case !p.autoAssign:
		c.leaveOut(p.object, "autoAssign", "false: what is in a pool of Herald's is handed out unasked, so these addresses are in none, and new Services cannot ask for them"+stay)
		return nil
	case len(p.serviceSelectors) > 0:
		c.leaveOut(p.object, "serviceAllocation.serviceSelectors", "Herald's pools are for all Services of a namespace, so these addresses are in none"+stay)
		return nil
	case len(p.namespaceSelectors) > 0:
		c.leaveOut(p.object, "serviceAllocation.namespaceSelectors", "Herald's pools name their namespaces; write cidr-NAMESPACE or range-NAMESPACE for each that is meant")
	}
	if len(p.namespaces) == 0 {
		if len(p.namespaceSelectors) > 0 {
			return nil
		}
		return []string{config.Global}
	}
	var names []string
	for i, namespace := range p.namespaces {
		field := fmt.Sprintf("serviceAllocation.namespaces[%d]", i)
		if reason := refusal("interface-"+namespace, "eth0"); reason != "" {
			c.leaveOut(p.object, field, reason)
			continue
		}
		switch {
		case slices.Contains(names, namespace):
		case namespace == config.Global:
			c.leaveOut(p.object, field, "Herald takes the name global for all namespaces without a pool of their own")
		default:
			names = append(names, namespace)
		}
	}
	return names
}

// entries returns the addresses of a pool as Herald's keys have them.
func (c *converter) entries(p *pool) (cidrs, ranges []entry) {
	for i, text := range p.addresses {
		key, e, err := parseEntry(text)
		var reason string
		switch {
		case key == "":
			reason = err.Error()
		case err != nil:
			reason = refusal(key, text)
		default:
			reason = refusal(key, e.text)
		}
		if reason == "" && err != nil {
			reason = err.Error()
		}
		if reason != "" {
			c.leaveOut(p.object, fmt.Sprintf("addresses[%d]", i), reason)
			continue
		}
		e.from = p
		if key == "cidr-global" {
			cidrs = append(cidrs, e)
		} else {
			ranges = append(ranges, e)
		}
	}
	return cidrs, ranges
}

// parseEntry reads an address as MetalLB does: of a CIDR it takes the network, and a
// range may have spaces. It returns for which key it is.
func parseEntry(text string) (string, entry, error) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		prefix, err := netip.ParsePrefix(text)
		prefix = prefix.Masked()
		return "cidr-global", entry{text: prefix.String(), IPRange: netipx.RangeOfPrefix(prefix)}, err
	}
	from, err := netip.ParseAddr(strings.TrimSpace(first))
	if err != nil {
		return "range-global", entry{}, err
	}
	to, err := netip.ParseAddr(strings.TrimSpace(last))
	if err != nil {
		return "range-global", entry{}, err
	}
	return "range-global", entry{text: from.String() + "-" + to.String(), IPRange: netipx.IPRangeFrom(from, to)}, nil
}

// checkScopes notes what one scope cannot say of several pools.
func (c *converter) checkScopes() {
	c.setInterfaces()
	global := c.scopes[config.Global]
	for _, name := range slices.Sorted(maps.Keys(c.scopes)) {
		s := c.scopes[name]
		priorities := make(map[int]bool)
		for _, p := range s.pools {
			priorities[p.priority] = true
			switch {
			case !p.l2 && !p.bgp:
				c.differ(p.object, "", "no advertisement is for it, so MetalLB announces none of its addresses; Herald does: "+s.announced())
			case ways(p.l2, p.bgp) != s.announced():
				c.leaveOut(p.object, "", fmt.Sprintf("MetalLB announces it by %s; announce-%s is for all pools there, and says %s", ways(p.l2, p.bgp), name, s.announced()))
			}
		}
		for _, p := range s.pools {
			if len(priorities) > 1 && p.priority != 0 {
				c.leaveOut(p.object, "serviceAllocation.priority", fmt.Sprintf("the pools of %s are one, of which the lowest free address goes first", name))
			}
		}
		if name != config.Global && global != nil {
			c.differ(s.pools[0].object, "serviceAllocation.namespaces", fmt.Sprintf("Services in %s that find no free address get none of the pool global, unlike with MetalLB", name))
		}
	}
}
