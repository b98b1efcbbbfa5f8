package frame

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
)

// ARP speaks for IPv4 addresses, as RFC 826 and RFC 5227 say.
type ARP struct{}

// The ARP packet for IPv4 over Ethernet, offsets from the start of the frame.
const (
	arpFixed     = etherSize // type and length of hardware and protocol addresses
	arpOperation = 20
	arpSenderMAC = 22
	arpSender    = 28
	arpTargetMAC = 32
	arpTarget    = 38
	arpSize      = 42
	arpIPv4      = 0x0001_0800_0604 << 16 // those, then the operation
	arpRequest   = 1
	arpReply     = 2
)

// EtherType returns the protocol number of ARP.
func (ARP) EtherType() int { return etherTypeARP }

// Parse reads what a frame says into m.
func (ARP) Parse(b []byte, m *Message) Fault {
	if len(b) < arpSize {
		return Truncated
	}
	fixed := binary.BigEndian.Uint64(b[arpFixed:])
	if binary.BigEndian.Uint16(b[etherType:]) != etherTypeARP || fixed&^0xffff != arpIPv4 {
		return Foreign
	}
	operation := uint16(fixed)
	if operation != arpRequest && operation != arpReply {
		return Foreign
	}
	m.From = MAC(b[arpSenderMAC:])
	if m.From.group() || m.From == (MAC{}) {
		return BadLinkAddress
	}
	sender, target := [4]byte(b[arpSender:]), [4]byte(b[arpTarget:])
	m.Uses, m.Asks = netip.Addr{}, netip.Addr{}
	if sender != [4]byte{} {
		m.Uses = netip.AddrFrom4(sender)
	}
	// A request for one's own address is an announcement: it asks nothing.
	if operation == arpRequest && target != sender {
		m.Asks = netip.AddrFrom4(target)
	}
	return None
}

// Reply writes into b, which holds at least MaxReply bytes, the answer of the
// station at mac to a request m, and returns its length.
func (ARP) Reply(b []byte, mac MAC, m *Message) int {
	b = b[:arpSize]
	putEther(b, m.From, mac, etherTypeARP)
	binary.BigEndian.PutUint64(b[arpFixed:], arpIPv4|arpReply)
	copy(b[arpSenderMAC:], mac[:])
	sender := m.Asks.As4()
	copy(b[arpSender:], sender[:])
	copy(b[arpTargetMAC:], m.From[:])
	var target [4]byte // a probe has none
	if m.Uses.IsValid() {
		target = m.Uses.As4()
	}
	copy(b[arpTarget:], target[:])
	return arpSize
}

// Announcement returns the frame by which the station at mac tells everybody
// that it has addr. It has the request form of RFC 5227 section 2.3, which
// Linux believes even in the second after another change (locktime).
func (ARP) Announcement(mac MAC, addr netip.Addr) ([]byte, error) {
	return arpBroadcast(mac, addr, addr)
}

// Probe returns the frame that asks if anybody uses addr, without touching
// anybody's cache (RFC 5227 section 2.1.1).
func (ARP) Probe(mac MAC, addr netip.Addr) ([]byte, error) {
	return arpBroadcast(mac, netip.IPv4Unspecified(), addr)
}

func arpBroadcast(mac MAC, sender, target netip.Addr) ([]byte, error) {
	packet, err := arp.NewPacket(arp.OperationRequest, mac[:], sender, make([]byte, len(mac)), target)
	if err != nil {
		return nil, fmt.Errorf("ARP request for %s: %w", target, err)
	}
	payload, err := packet.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("ARP request for %s: %w", target, err)
	}
	return marshal(ethernet.Broadcast, mac, ethernet.EtherTypeARP, payload)
}
