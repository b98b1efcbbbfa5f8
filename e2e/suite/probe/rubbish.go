package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// rounds is how often each kind of rubbish is sent for each target.
const rounds = 100

// EtherTypes as Linux takes them, and NDP's message types (RFC 4861 section 4).
const (
	typeARP  = unix.ETH_P_ARP
	typeIPv6 = unix.ETH_P_IPV6

	neighborSolicitation  = 135
	neighborAdvertisement = 136
)

// rubbish sends malformed frames about the targets to everybody on the link.
// The same frames each time: what they break can be broken again.
func rubbish(link string, targets []netip.Addr) error {
	device, err := net.InterfaceByName(link)
	if err != nil {
		return err
	}
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	defer unix.Close(socket) //nolint:errcheck // nothing is buffered
	random := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		for _, target := range targets {
			for _, frame := range frames(random, device, target) {
				to := &unix.SockaddrLinklayer{Ifindex: device.Index}
				if err := unix.Sendto(socket, frame, 0, to); err != nil {
					return fmt.Errorf("send %d bytes: %w", len(frame), err)
				}
			}
		}
	}
	return nil
}

// frames returns one of each kind of rubbish about the target.
func frames(random *rand.Rand, device *net.Interface, target netip.Addr) [][]byte {
	if target.Is4() {
		return [][]byte{
			ethernet(device, broadcast, typeARP, cut(random, arp(device, target), 0)),
			ethernet(device, broadcast, typeARP, flip(random, arp(device, target), 0, 8)), // its lengths and types
			ethernet(device, broadcast, typeARP, noise(random, 28)),
			ethernet(device, broadcast, typeARP, noise(random, 1000)),
		}
	}
	group := solicitedGroup(target)
	kind := byte(neighborSolicitation + random.IntN(2))
	return [][]byte{
		ethernet(device, group, typeIPv6, cut(random, ipv6(target, 255, message(kind, target, nil)), 0)),
		ethernet(device, group, typeIPv6, ipv6(target, 255, cut(random, message(kind, target, nil), 1))),
		ethernet(device, group, typeIPv6, ipv6(target, byte(random.IntN(255)), message(kind, target, nil))),  // from beyond a router
		ethernet(device, group, typeIPv6, ipv6(target, 255, flip(random, message(kind, target, nil), 2, 4))), // its checksum
		ethernet(device, group, typeIPv6, ipv6(target, 255, message(kind, target, []byte{1, 0}))),            // option of length 0 (RFC 4861 section 4.6)
		ethernet(device, group, typeIPv6, ipv6(target, 255, message(kind, target, noise(random, 40)))),
		ethernet(device, group, typeIPv6, ipv6(target, 255, noise(random, 24))),
		ethernet(device, group, typeIPv6, noise(random, 1000)),
	}
}

var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} //nolint:gochecknoglobals // a constant of Ethernet

// stranger sends the rubbish: an address of nobody, so that what the kernels
// learn of it by accident hurts no host of the segment.
func stranger(v6 bool) []byte {
	if v6 {
		return netip.MustParseAddr("fe80::bad:bad").AsSlice()
	}
	return netip.MustParseAddr("192.0.2.66").AsSlice()
}

func ethernet(device *net.Interface, to net.HardwareAddr, etherType uint16, payload []byte) []byte {
	frame := append(append([]byte{}, to...), device.HardwareAddr...)
	frame = binary.BigEndian.AppendUint16(frame, etherType)
	return append(frame, payload...)
}

// arp returns a request for the target as RFC 826 wants it.
func arp(device *net.Interface, target netip.Addr) []byte {
	packet := []byte{0, 1, 8, 0, 6, 4, 0, 1}
	packet = append(packet, device.HardwareAddr...)
	packet = append(packet, stranger(false)...)
	packet = append(packet, make([]byte, 6)...)
	return append(packet, target.AsSlice()...)
}

// message returns a neighbor solicitation or advertisement, without checksum.
func message(kind byte, target netip.Addr, options []byte) []byte {
	packet := append(make([]byte, 8), target.AsSlice()...)
	packet[0] = kind
	packet = append(packet, options...)
	binary.BigEndian.PutUint16(packet[2:], checksum(solicitedAddress(target), packet))
	return packet
}

func ipv6(target netip.Addr, hopLimit byte, payload []byte) []byte {
	header := []byte{0x60, 0, 0, 0, 0, 0, unix.IPPROTO_ICMPV6, hopLimit}
	binary.BigEndian.PutUint16(header[4:], uint16(len(payload)))
	header = append(header, stranger(true)...)
	header = append(header, solicitedAddress(target)...)
	return append(header, payload...)
}

// checksum is ICMPv6's (RFC 4443 section 2.3).
func checksum(to, payload []byte) uint16 {
	pseudo := append(append([]byte{}, stranger(true)...), to...)
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(payload)))
	pseudo = binary.BigEndian.AppendUint32(pseudo, unix.IPPROTO_ICMPV6)
	return internet(append(pseudo, payload...))
}

// internet is the checksum of RFC 1071.
func internet(data []byte) uint16 {
	if len(data)%2 == 1 {
		data = append(slices.Clip(data), 0)
	}
	var sum uint32
	for i := 0; i < len(data); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// solicitedAddress is the multicast address that the target's owner listens to
// (RFC 4291 section 2.7.1), solicitedGroup its Ethernet form (RFC 2464 section 7).
func solicitedAddress(target netip.Addr) []byte {
	address := netip.MustParseAddr("ff02::1:ff00:0").As16()
	suffix := target.As16()
	copy(address[13:], suffix[13:])
	return address[:]
}

func solicitedGroup(target netip.Addr) net.HardwareAddr {
	address := solicitedAddress(target)
	return append(net.HardwareAddr{0x33, 0x33}, address[12:]...)
}

// cut takes off a part of the end, at least one byte, and leaves at least so
// many.
func cut(random *rand.Rand, packet []byte, leave int) []byte {
	return packet[:leave+random.IntN(len(packet)-leave)]
}

// flip changes one bit between two positions.
func flip(random *rand.Rand, packet []byte, from, to int) []byte {
	packet[from+random.IntN(to-from)] ^= 1 << random.IntN(8)
	return packet
}

func noise(random *rand.Rand, size int) []byte {
	packet := make([]byte, size)
	for i := range packet {
		packet[i] = byte(random.Uint32())
	}
	return packet
}
