package outage

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// arpRequest returns a frame that asks for an address (RFC 826).
func arpRequest(mac net.HardwareAddr, from, target netip.Addr) []byte {
	frame := ethernet(net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, mac, unix.ETH_P_ARP)
	frame = append(frame, 0, 1, 0x08, 0, 6, 4, 0, 1) // Ethernet, IPv4, request
	frame = append(append(frame, mac...), from.AsSlice()...)
	frame = append(frame, 0, 0, 0, 0, 0, 0)
	return append(frame, target.AsSlice()...)
}

// neighbourSolicitation returns a frame that asks for an address (RFC 4861
// section 4.3), sent to its solicited-node group (RFC 4291 section 2.7.1).
func neighbourSolicitation(mac net.HardwareAddr, from, target netip.Addr) []byte {
	const length, icmp, hops, solicitation = 32, unix.IPPROTO_ICMPV6, 255, 135
	bytes := target.As16()
	group := netip.MustParseAddr("ff02::1:ff00:0").As16()
	copy(group[13:], bytes[13:])
	frame := ethernet(net.HardwareAddr{0x33, 0x33, 0xff, bytes[13], bytes[14], bytes[15]}, mac, unix.ETH_P_IPV6)
	frame = append(frame, 0x60, 0, 0, 0, 0, length, icmp, hops)
	frame = append(append(frame, from.AsSlice()...), group[:]...)
	message := append([]byte{solicitation, 0, 0, 0, 0, 0, 0, 0}, bytes[:]...)
	message = append(append(message, 1, 1), mac...) // source link-layer address
	pseudo := append(append([]byte{}, from.AsSlice()...), group[:]...)
	pseudo = append(pseudo, 0, 0, 0, length, 0, 0, 0, icmp)
	binary.BigEndian.PutUint16(message[2:], checksum(append(pseudo, message...)))
	return append(frame, message...)
}

func ethernet(to, from net.HardwareAddr, kind uint16) []byte {
	return binary.BigEndian.AppendUint16(append(append([]byte{}, to...), from...), kind)
}

// checksum is that of RFC 1071 over an even number of bytes.
func checksum(bytes []byte) uint16 {
	var sum uint32
	for i := 0; i < len(bytes); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(bytes[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
