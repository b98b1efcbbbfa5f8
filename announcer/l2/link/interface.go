// Package link follows the Ethernet interfaces of this host and the prefixes
// that are on-link there, by the notifications of rtnetlink.
package link

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// Interface is an Ethernet interface as it is at one moment.
type Interface struct {
	Index int
	Name  string
	MAC   frame.MAC
	// Up: neighbours can be talked to. The interface is up, has a carrier, and
	// speaks ARP.
	Up bool
	// Epoch is another number each time that neighbours have to be told anew:
	// the interface came up, or got another MAC or name. No two interfaces
	// share one.
	Epoch uint64
	// Prefixes are those that are on-link, sorted. A host route (/32, /128) is
	// none.
	Prefixes []netip.Prefix
	// LinkLocal is the interface's IPv6 link-local address, the zero Addr if it has none that
	// the kernel has found to be its own.
	LinkLocal netip.Addr
}

// OnLink reports whether a prefix of the interface contains addr for a host to
// have. No neighbour asks for the others: it broadcasts to them.
func (i *Interface) OnLink(addr netip.Addr) bool {
	return slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Contains(addr) && !broadcast(p, addr) })
}

// Carries reports whether addr is to be announced on the interface, which has to
// be up: it is the one that is named, or none is and addr is on-link. A
// link-local address is on-link everywhere: one has to say where.
func (i *Interface) Carries(addr netip.Addr, name string) bool {
	switch {
	case !i.Up:
		return false
	case name != "":
		return name == i.Name
	default:
		return !addr.IsLinkLocalUnicast() && i.OnLink(addr)
	}
}

// broadcast reports whether addr is the broadcast address of an IPv4 prefix, or
// the network's, which is an obsolete form of it (RFC 1122 section 3.3.6). The
// two addresses of a /31 are hosts (RFC 3021).
func broadcast(p netip.Prefix, addr netip.Addr) bool {
	if !addr.Is4() || p.Bits() >= 31 {
		return false
	}
	host := ^uint32(0) >> p.Bits()
	bytes := addr.As4()
	rest := binary.BigEndian.Uint32(bytes[:]) & host
	return rest == 0 || rest == host
}
