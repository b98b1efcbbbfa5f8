package election

import "net/netip"

// Elect returns the owner of addr among the eligible nodes, or false if there
// are none. The order of the nodes does not matter. It is rendezvous hashing
// (highest random weight): a node that leaves moves its own addresses and no
// others, and they spread over all that remain.
func Elect(addr netip.Addr, eligible []string) (owner string, ok bool) {
	var highest uint64
	for _, node := range eligible {
		w := weight(node, addr)
		if !ok || w > highest || w == highest && node < owner {
			owner, highest, ok = node, w, true
		}
	}
	return owner, ok
}
