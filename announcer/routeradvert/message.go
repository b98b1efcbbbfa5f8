package routeradvert

import (
	"net/netip"

	"github.com/mdlayher/ndp"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// hopLimit is that of all neighbor discovery: no router forwarded the packet.
const hopLimit = ndp.HopLimit

// advertisement says that there is a router, which is nobody's default router. Other values
// of 0 are left to whoever knows them.
func advertisement(mac frame.MAC) ([]byte, error) {
	return ndp.MarshalMessage(&ndp.RouterAdvertisement{
		Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: mac[:]}},
	})
}

// solicits reports whether an ICMPv6 message is a valid router solicitation (RFC 4861
// section 6.1.1); the kernel saw to the checksum.
func solicits(message []byte, hops int, from netip.Addr) bool {
	if hops != hopLimit || len(message) < 2 || message[1] != 0 {
		return false
	}
	parsed, err := ndp.ParseMessage(message)
	if err != nil {
		return false
	}
	solicitation, ok := parsed.(*ndp.RouterSolicitation)
	if !ok {
		return false
	}
	for _, option := range solicitation.Options {
		// Who has no address yet has no link-layer address to tell.
		if l, ok := option.(*ndp.LinkLayerAddress); ok && l.Direction == ndp.Source && from.IsUnspecified() {
			return false
		}
	}
	return true
}
