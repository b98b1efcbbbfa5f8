package frame

import (
	"encoding/binary"
	"net/netip"
)

// NDP speaks for IPv6 addresses, as RFC 4861 and RFC 4862 say.
type NDP struct{}

// The IPv6 header, the ICMPv6 header, and a neighbour solicitation or
// advertisement, offsets from the start of the frame.
const (
	ip6Length     = 18
	ip6NextHeader = 20
	ip6HopLimit   = 21
	ip6Source     = 22
	ip6To         = 38
	ip6Size       = 40
	ip6End        = etherSize + ip6Size

	icmpType     = 54
	icmpCode     = 55
	icmpChecksum = 56
	ndFlags      = 58
	ndTarget     = 62
	ndOptions    = 78

	// ndSize is that of a message without options, from icmpType on.
	ndSize            = ndOptions - ip6End
	linkOptionSize    = 8
	advertisementSize = ndSize + linkOptionSize

	protocolICMPv6 = 58
	hopLimit       = 255

	typeSolicitation  = 135
	typeAdvertisement = 136
	flagSolicited     = 0x40
	flagOverride      = 0x20

	optionSourceLink = 1
	optionTargetLink = 2
)

// EtherType returns the protocol number of IPv6.
func (NDP) EtherType() int { return etherTypeIPv6 }

// Parse reads what a frame says into m.
func (NDP) Parse(b []byte, m *Message) Fault {
	message, fault := icmpMessage(b)
	if fault != None {
		return fault
	}
	source := [16]byte(b[ip6Source:])
	target := [16]byte(b[ndTarget:])
	// Multicast is neither a sender's nor a neighbour's address.
	if source[0] == 0xff || target[0] == 0xff {
		return BadAddress
	}
	if message[0] == typeSolicitation {
		return parseSolicitation(b, message, source, target, m)
	}
	return parseAdvertisement(b, message, target, m)
}

// icmpMessage returns the ICMPv6 message of a frame if it is a neighbour
// solicitation or advertisement and passes the tests that RFC 4861 sections
// 7.1.1 and 7.1.2 have in common. Extension headers are not followed: no
// sender of these messages needs one, and RFC 6980 forbids the fragment header.
func icmpMessage(b []byte) ([]byte, Fault) {
	if len(b) < ndOptions {
		return nil, Truncated
	}
	if binary.BigEndian.Uint16(b[etherType:]) != etherTypeIPv6 || b[etherSize]>>4 != 6 || b[ip6NextHeader] != protocolICMPv6 {
		return nil, Foreign
	}
	size := int(binary.BigEndian.Uint16(b[ip6Length:]))
	if size < ndSize || size > len(b)-ip6End {
		return nil, Truncated
	}
	message := b[ip6End : ip6End+size] // what follows is padding
	switch {
	case message[0] != typeSolicitation && message[0] != typeAdvertisement:
		return nil, Foreign
	case b[ip6HopLimit] != hopLimit:
		return nil, BadHopLimit
	case message[1] != 0:
		return nil, BadCode
	case checksum(b[ip6Source:ip6End], message) != 0:
		return nil, BadChecksum
	}
	return message, None
}

func parseSolicitation(b, message []byte, source, target [16]byte, m *Message) Fault {
	link, given, fault := linkOption(message[ndSize:], optionSourceLink)
	if fault != None {
		return fault
	}
	m.Uses, m.Asks = netip.Addr{}, netip.Addr{}
	if source == [16]byte{} {
		// Duplicate address detection, RFC 4861 section 7.1.1.
		if given {
			return BadOption
		}
		if [13]byte(b[ip6To:]) != solicitedNodePrefix() {
			return BadAddress
		}
	} else {
		m.Uses = netip.AddrFrom16(source)
	}
	if target != source {
		m.Asks = netip.AddrFrom16(target)
	}
	return setFrom(b, link, given, m)
}

func parseAdvertisement(b, message []byte, target [16]byte, m *Message) Fault {
	link, given, fault := linkOption(message[ndSize:], optionTargetLink)
	if fault != None {
		return fault
	}
	if b[ip6To] == 0xff && b[ndFlags]&flagSolicited != 0 {
		return BadAddress
	}
	m.Asks = netip.Addr{}
	m.Uses = netip.AddrFrom16(target)
	return setFrom(b, link, given, m)
}

// setFrom takes the sender's link-layer address from the option, and without
// one from the Ethernet header.
func setFrom(b []byte, link MAC, given bool, m *Message) Fault {
	m.From = link
	if !given {
		m.From = MAC(b[etherSource:])
	}
	if m.From.group() || m.From == (MAC{}) {
		return BadLinkAddress
	}
	return None
}

// linkOption walks all options, as validation demands, and returns the
// link-layer address in the one of the kind wanted.
func linkOption(options []byte, kind byte) (link MAC, given bool, fault Fault) {
	for len(options) > 0 {
		if len(options) < 2 {
			return link, given, BadOption
		}
		size := int(options[1]) * 8
		if size == 0 || size > len(options) {
			return link, given, BadOption
		}
		if options[0] == kind {
			if size != linkOptionSize {
				return link, given, BadOption
			}
			link, given = MAC(options[2:]), true
		}
		options = options[size:]
	}
	return link, given, None
}

// Reply writes into b, which holds at least MaxReply bytes, the answer of the
// station at mac to a solicitation m, and returns its length.
//
// The source is the target itself, which is an address of the interface as
// far as neighbours can tell, so that no other needs to be there. Override is
// set, for the address is ours and not proxied (RFC 4861 section 7.2.4).
// Router is not: the flag matters for an address that somebody's default
// route points to, and such are link-local.
func (NDP) Reply(b []byte, mac MAC, m *Message) int {
	b = b[:MaxReply]
	to, toMAC, flags := allNodes(), allNodesMAC(), byte(flagOverride)
	// A probe cannot receive unicast: the answer goes to all, unsolicited.
	if m.Uses.IsValid() {
		to, toMAC, flags = m.Uses.As16(), m.From, flagOverride|flagSolicited
	}
	target := m.Asks.As16()
	putEther(b, toMAC, mac, etherTypeIPv6)
	putIP6(b, target, to, advertisementSize)
	clear(b[ip6End:ndTarget])
	b[icmpType] = typeAdvertisement
	b[ndFlags] = flags
	copy(b[ndTarget:], target[:])
	b[ndOptions], b[ndOptions+1] = optionTargetLink, 1
	copy(b[ndOptions+2:], mac[:])
	binary.BigEndian.PutUint16(b[icmpChecksum:], checksum(b[ip6Source:ip6End], b[ip6End:]))
	return MaxReply
}

func putIP6(b []byte, from, to [16]byte, size uint16) {
	binary.BigEndian.PutUint32(b[etherSize:], 6<<28)
	binary.BigEndian.PutUint16(b[ip6Length:], size)
	b[ip6NextHeader], b[ip6HopLimit] = protocolICMPv6, hopLimit
	copy(b[ip6Source:], from[:])
	copy(b[ip6To:], to[:])
}

// checksum sums the pseudo-header of RFC 8200 section 8.1 and the message. It
// is 0 over a message that holds its own checksum.
func checksum(addresses, message []byte) uint16 {
	sum := uint64(len(message)) + protocolICMPv6
	for _, b := range [...][]byte{addresses, message} {
		for ; len(b) >= 4; b = b[4:] {
			sum += uint64(binary.BigEndian.Uint32(b))
		}
		if len(b) >= 2 {
			sum += uint64(binary.BigEndian.Uint16(b))
			b = b[2:]
		}
		if len(b) > 0 {
			sum += uint64(b[0]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
