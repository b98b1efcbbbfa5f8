package advertisement

import (
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/config/bgp"
)

// selection is what bgp.yaml says for one node.
type selection struct {
	localASN       uint32
	routerID       netip.Addr
	peers          []bgp.Peer
	advertisements []advertisement
}

// advertisement is one that this node makes.
type advertisement struct {
	bgp.Advertisement
	// peers are the indexes of the selection's that are told.
	peers []int
}

// selected returns what is to be done on a node.
func selected(node bgp.ForThisNode) *selection {
	s := &selection{localASN: node.LocalASN, routerID: node.RouterID, peers: node.Peers}
	for _, a := range node.Advertisements {
		s.advertisements = append(s.advertisements, advertisement{a, s.told(a)})
	}
	return s
}

// told returns the peers that a names, all if it names none.
func (s *selection) told(a bgp.Advertisement) []int {
	var told []int
	for i, p := range s.peers {
		if len(a.Peers) == 0 || slices.Contains(a.Peers, p.Name) {
			told = append(told, i)
		}
	}
	return told
}

// of appends to buffer the advertisements, by their indexes, that are of address.
func (s *selection) of(address Address, buffer []int) []int {
	for i := range s.advertisements {
		if s.advertisements[i].matches(address) {
			buffer = append(buffer, i)
		}
	}
	return buffer
}

// peersOf returns the peers, by their indexes, that are told of address.
func (s *selection) peersOf(address Address) []int {
	var told []int
	for _, i := range s.of(address, nil) {
		told = append(told, s.advertisements[i].peers...)
	}
	slices.Sort(told)
	return slices.Compact(told)
}

// matches says whether a is of an address: of one of its holders, by pool and labels.
func (a *advertisement) matches(address Address) bool {
	return slices.ContainsFunc(address.Holders, func(h Holder) bool {
		return (len(a.Pools) == 0 || slices.Contains(a.Pools, h.Pool)) && a.Services.Matches(h.Labels)
	})
}

// prefix is what is told in place of addr.
func (a *advertisement) prefix(addr netip.Addr) netip.Prefix {
	length := int(a.AggregationLength4)
	if addr.Is6() {
		length = int(a.AggregationLength6)
	}
	return netip.PrefixFrom(addr, length).Masked()
}
