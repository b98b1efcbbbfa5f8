// Package election decides which node owns an address. It is pure: every node
// is given the same facts, comes to the same decision, and need not ask another.
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

// weight is how much node stands for addr: FNV-1a over both, and then the
// finalizer of MurmurHash3, for FNV alone hardly spreads its last bytes. It is
// part of the protocol between nodes, so the dozen lines stand here rather than
// in a dependency, and golden values keep them from changing.
func weight(node string, addr netip.Addr) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(node) {
		h = (h ^ uint64(node[i])) * prime
	}
	for _, b := range addr.As16() {
		h = (h ^ uint64(b)) * prime
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
