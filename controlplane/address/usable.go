package address

import "net/netip"

// Usable reports whether a VIP can be addr: an address that a host can have and others
// can reach.
func Usable(addr netip.Addr) bool {
	return addr.IsValid() && addr.Zone() == "" && !addr.Is4In6() && !addr.IsUnspecified() && !addr.IsMulticast() &&
		!addr.IsLoopback() && addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
