package election

import "net/netip"

const fnvPrime = 1099511628211

// weight is how much node stands for addr: FNV-1a over both, and then the
// finalizer of MurmurHash3, for FNV alone hardly spreads its last bytes. It is
// part of the protocol between nodes, so the dozen lines stand here rather than
// in a dependency, and golden values keep them from changing.
func weight(node string, addr netip.Addr) uint64 { return weigh(seed(node), addr) }

// seed is the part of the weight that is the same for all addresses.
func seed(node string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(node) {
		h = (h ^ uint64(node[i])) * fnvPrime
	}
	return h
}

func weigh(seed uint64, addr netip.Addr) uint64 {
	h := seed
	for _, b := range addr.As16() {
		h = (h ^ uint64(b)) * fnvPrime
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
