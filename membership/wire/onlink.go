package wire

import (
	"net/netip"
	"slices"
)

// OnLink returns the prefixes that a heartbeat says of an interface whose addresses
// and their prefix lengths are given: masked, in order, none inside another. Left is
// the number of those that are not told, since there are more than MaxPrefixes. Link-local ones (RFC 4291 section 2.5.6) are left out, for
// no address of a Service is in them.
func OnLink(addresses []netip.Prefix) (told []netip.Prefix, left int) {
	var prefixes []netip.Prefix
	for _, p := range addresses {
		linkLocal := p.Addr().Is6() && p.Addr().IsLinkLocalUnicast()
		if masked := p.Masked(); validPrefix(masked) && !linkLocal {
			prefixes = append(prefixes, masked)
		}
	}
	// Wide ones come first, so that one inside another is met after it.
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	for _, p := range prefixes {
		switch n := len(told); {
		case n > 0 && told[n-1].Overlaps(p):
		case n == MaxPrefixes:
			left++
		default:
			told = append(told, p)
		}
	}
	return told, left
}
