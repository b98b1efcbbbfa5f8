package bgp

import "net/netip"

// nextHop is where routes of a prefix's family lead on a session of this node's address
// local with a router, or why there is none.
func nextHop(prefix netip.Prefix, local netip.Addr, known NextHops, r router) (hop netip.Addr, why string) {
	if prefix.Addr().Is4() {
		switch {
		case !r.v4:
			return hop, "the router takes no IPv4 routes on this session"
		case local.Is4():
			return local, ""
		// On an unnumbered link there may be no IPv4 address that the router could reach.
		case r.extended && (local.IsLinkLocalUnicast() || !known.V4.IsValid()):
			return local, ""
		case known.V4.IsValid():
			return known.V4, ""
		default:
			return hop, "this node has no IPv4 address, and the router takes no IPv6 next hop for IPv4 routes (RFC 8950)"
		}
	}
	switch {
	case !r.v6:
		return hop, "the router takes no IPv6 routes on this session"
	case local.Is6():
		return local, ""
	case known.V6.IsValid():
		return known.V6, ""
	default:
		return hop, "this node has no IPv6 address"
	}
}
