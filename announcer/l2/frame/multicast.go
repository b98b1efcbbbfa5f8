package frame

import "net/netip"

// SolicitedNode returns the multicast group that solicitations for addr are
// sent to, which it shares with all addresses that have the same last 24 bits
// (RFC 4291 section 2.7.1).
func SolicitedNode(addr netip.Addr) netip.Addr {
	a := addr.As16()
	prefix := solicitedNodePrefix()
	copy(a[:], prefix[:])
	return netip.AddrFrom16(a)
}

// solicitedNodePrefix is ff02::1:ff00:0/104.
func solicitedNodePrefix() [13]byte { return [...]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff} }

// allNodes is ff02::1.
func allNodes() [16]byte { return [...]byte{0: 0xff, 1: 0x02, 15: 1} }

func allNodesMAC() MAC { return MAC{0x33, 0x33, 5: 1} }

// GroupMAC returns the Ethernet address of an IPv6 group (RFC 2464 section 7).
func GroupMAC(group netip.Addr) MAC {
	a := group.As16()
	return MAC{0x33, 0x33, a[12], a[13], a[14], a[15]}
}
