package l2

import (
	"net/netip"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// groups counts the addresses behind each solicited-node group: many may share
// one, for it is made of their last 24 bits.
type groups map[netip.Addr]int

// add counts an address; first says that its group is new.
func (g groups) add(addr netip.Addr) (group netip.Addr, first bool) {
	group = frame.SolicitedNode(addr)
	g[group]++
	return group, g[group] == 1
}

// remove uncounts an address; last says that its group has no other.
func (g groups) remove(addr netip.Addr) (group netip.Addr, last bool) {
	group = frame.SolicitedNode(addr)
	g[group]--
	if g[group] > 0 {
		return group, false
	}
	delete(g, group)
	return group, true
}
