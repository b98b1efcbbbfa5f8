package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/config/fault"
)

// NodeAddressFaults warns of pools that hold an address of a node: handed out,
// it would cut the node off. The nodes' addresses are given by node name.
func (c *Config) NodeAddressFaults(nodes map[string][]netip.Addr) Faults {
	var found fault.Collector
	for _, node := range slices.Sorted(maps.Keys(nodes)) {
		for _, a := range nodes[node] {
			a = a.Unmap().WithZone("")
			for _, pool := range c.Pools {
				if !pool.Addresses.Contains(a) {
					continue
				}
				found.Add(naming(c.entries[pool.Scope], a).fault(Warning, fmt.Sprintf(
					"holds %s, an address of node %s; leave it out with %s", a, node, prefixExclude+pool.Scope)))
			}
		}
	}
	return found.Sorted()
}
