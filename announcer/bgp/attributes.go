package bgp

import (
	"encoding/binary"
	"net/netip"
	"slices"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"

	"github.com/heraldlb/herald/config/bgp"
)

// defaultLocalPreference is that of an internal session whose routes have none.
const defaultLocalPreference = 100

// originIGP says that the route is of the AS itself (RFC 4271 section 5.1.1).
const originIGP = 0

// pathAttributes are a route's, but for the next hop and the NLRI, in the order of their
// types (RFC 4271 appendix F.3).
func pathAttributes(peer Peer, wide bool, a bgp.Attributes) []packet.PathAttributeInterface {
	internal := peer.ASN == peer.LocalASN
	attributes := []packet.PathAttributeInterface{packet.NewPathAttributeOrigin(originIGP)}
	attributes = append(attributes, asPath(peer.LocalASN, internal, wide, a.Prepend)...)
	if a.MED != nil {
		attributes = append(attributes, packet.NewPathAttributeMultiExitDisc(*a.MED))
	}
	if internal {
		preference := uint32(defaultLocalPreference)
		if a.LocalPreference != nil {
			preference = *a.LocalPreference
		}
		attributes = append(attributes, packet.NewPathAttributeLocalPref(preference))
	}
	if len(a.Communities) > 0 {
		attributes = append(attributes, packet.NewPathAttributeCommunities(a.Communities))
	}
	if len(a.LargeCommunities) > 0 {
		large := make([]*packet.LargeCommunity, 0, len(a.LargeCommunities))
		for _, c := range a.LargeCommunities {
			large = append(large, packet.NewLargeCommunity(c.Global, c.Local1, c.Local2))
		}
		attributes = append(attributes, packet.NewPathAttributeLargeCommunities(large))
	}
	slices.SortStableFunc(attributes, func(a, b packet.PathAttributeInterface) int { return int(a.GetType()) - int(b.GetType()) })
	return attributes
}

// segment is how many AS numbers a segment of an AS_PATH has room for.
const segment = 255

// asPath is the AS_PATH, empty within the AS, and for a router of two octets the
// AS4_PATH beside it (RFC 6793 section 4.2.2).
func asPath(asn uint32, internal, wide bool, prepend uint8) []packet.PathAttributeInterface {
	if internal {
		return []packet.PathAttributeInterface{packet.NewPathAttributeAsPath(nil)}
	}
	path := slices.Repeat([]uint32{asn}, int(prepend)+1)
	var four []*packet.As4PathParam
	var params []packet.AsPathParamInterface
	for part := range slices.Chunk(path, segment) {
		four = append(four, packet.NewAs4PathParam(packet.BGP_ASPATH_ATTR_TYPE_SEQ, part))
		if wide {
			params = append(params, four[len(four)-1])
			continue
		}
		two := uint16(packet.AS_TRANS)
		if asn <= 1<<16-1 {
			two = uint16(asn) //nolint:gosec // in range
		}
		params = append(params, packet.NewAsPathParam(packet.BGP_ASPATH_ATTR_TYPE_SEQ, slices.Repeat([]uint16{two}, len(part))))
	}
	attributes := []packet.PathAttributeInterface{packet.NewPathAttributeAsPath(params)}
	if !wide && asn > 1<<16-1 {
		attributes = append(attributes, packet.NewPathAttributeAs4Path(four))
	}
	return attributes
}

// appendKey appends what two routes that go into one UPDATE have in common.
func appendKey(b []byte, v4 bool, hop netip.Addr, a bgp.Attributes) []byte {
	family := byte(6)
	if v4 {
		family = 4
	}
	raw := hop.As16()
	b = append(append(b, family, a.Prepend), raw[:]...)
	for _, optional := range []*uint32{a.LocalPreference, a.MED} {
		if optional == nil {
			b = append(b, 0)
			continue
		}
		b = binary.BigEndian.AppendUint32(append(b, 1), *optional)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Communities))) //nolint:gosec // a length
	for _, c := range a.Communities {
		b = binary.BigEndian.AppendUint32(b, c)
	}
	for _, c := range a.LargeCommunities {
		b = binary.BigEndian.AppendUint32(b, c.Global)
		b = binary.BigEndian.AppendUint32(b, c.Local1)
		b = binary.BigEndian.AppendUint32(b, c.Local2)
	}
	return b
}
