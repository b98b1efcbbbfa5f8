// Package frame reads and writes the Ethernet frames of neighbour discovery:
// ARP (RFC 826, RFC 5227) for IPv4 and NDP (RFC 4861, RFC 4862) for IPv6.
//
// The way of a request, Parse then Reply, is written by hand and allocates
// nothing; its tests hold it against mdlayher/arp and mdlayher/ndp, which
// build the frames that are not in a hurry.
package frame

import (
	"net"
	"net/netip"
)

// MAC is an Ethernet address.
type MAC [6]byte

// String returns the colon-separated form.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// group reports whether m addresses more than one station.
func (m MAC) group() bool { return m[0]&1 != 0 }

// Message is what a frame says, in the terms that ARP and NDP share.
type Message struct {
	// Asks is the address that the sender wants resolved; zero if none.
	Asks netip.Addr
	// Uses is the address that the sender shows to be its own; zero if none.
	Uses netip.Addr
	// From is the link-layer address that the sender gives, and wants the
	// answer sent to.
	From MAC
}

// Probe reports whether the sender only asks if anybody uses the address, in
// order to use it itself (RFC 5227 section 1.1, RFC 4862 section 5.4.2).
func (m *Message) Probe() bool { return m.Asks.IsValid() && !m.Uses.IsValid() }

// Fault says why a frame was not understood. Its text is a metric's label.
type Fault uint8

// What is wrong with a frame.
const (
	// None: the frame is valid.
	None Fault = iota
	// Truncated: the frame ends before its contents do.
	Truncated
	// Foreign: the frame is of another protocol.
	Foreign
	// BadLinkAddress: the sender's link-layer address is a group's, or none.
	BadLinkAddress
	// BadAddress: an address stands where RFC 4861 sections 7.1.1 and 7.1.2
	// forbid it.
	BadAddress
	// BadHopLimit: the hop limit is not 255: the frame was forwarded.
	BadHopLimit
	// BadChecksum: the ICMPv6 checksum is wrong.
	BadChecksum
	// BadCode: the ICMPv6 code is not 0.
	BadCode
	// BadOption: an option is empty, too long, or not allowed where it stands.
	BadOption
	// FaultCount is the number of faults, None included.
	FaultCount
)

// String returns the name of the fault as metrics show it.
func (f Fault) String() string {
	return [...]string{
		"none", "truncated", "foreign", "bad_link_address", "bad_address",
		"bad_hop_limit", "bad_checksum", "bad_code", "bad_option",
	}[f]
}

// The Ethernet header: destination, source, type.
const (
	etherDestination = 0
	etherSource      = 6
	etherType        = 12
	etherSize        = 14

	etherTypeARP  = 0x0806
	etherTypeIPv6 = 0x86dd
)

// MaxReply is the size of the longest reply in bytes.
const MaxReply = etherSize + ip6Size + advertisementSize

func putEther(b []byte, to, from MAC, kind uint16) {
	copy(b[etherDestination:], to[:])
	copy(b[etherSource:], from[:])
	b[etherType], b[etherType+1] = byte(kind>>8), byte(kind)
}
