package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// linkMessage is what is of use here in RTM_NEWLINK.
type linkMessage struct {
	index    int
	name     string
	mac      frame.MAC
	ethernet bool
	up       bool
	// ups is how often the carrier came, if that is counted here.
	ups     uint32
	counted bool
}

// addressMessage is what is of use here in RTM_NEWADDR.
type addressMessage struct {
	index int
	address
	// tentative: nothing may be sent from it, or not yet, for another station may have it
	// (RFC 4862 section 5.4).
	tentative bool
}

// address is what makes an address of an interface another than the next.
type address struct {
	local  netip.Addr
	prefix netip.Prefix
}

var (
	errShort = errors.New("rtnetlink message is too short")
	// errBridge: a bridge speaks of one of its ports. A port that leaves its
	// bridge is RTM_DELLINK, and still there.
	errBridge = errors.New("rtnetlink message of a bridge")
	// errPartial: a message of one attribute alone, as wireless extensions
	// send them (IFLA_WIRELESS). It says nothing of the others.
	errPartial = errors.New("rtnetlink message without the link's name")
)

func parseLink(b []byte) (linkMessage, error) {
	if len(b) < unix.SizeofIfInfomsg {
		return linkMessage{}, errShort
	}
	header := nl.DeserializeIfInfomsg(b)
	if header.Family == unix.AF_BRIDGE {
		return linkMessage{}, errBridge
	}
	const running, not = unix.IFF_UP | unix.IFF_RUNNING, unix.IFF_NOARP | unix.IFF_LOOPBACK
	l := linkMessage{index: int(header.Index), up: header.Flags&(running|not) == running}
	err := attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) {
		switch kind {
		case unix.IFLA_IFNAME:
			l.name = unix.ByteSliceToString(value)
		case unix.IFLA_ADDRESS:
			if header.Type == unix.ARPHRD_ETHER && len(value) == len(l.mac) {
				l.mac, l.ethernet = frame.MAC(value), true
			}
		case unix.IFLA_CARRIER_UP_COUNT:
			if len(value) == 4 {
				l.ups, l.counted = binary.NativeEndian.Uint32(value), true
			}
		}
	})
	if err != nil {
		return linkMessage{}, fmt.Errorf("attributes of link %d: %w", header.Index, err)
	}
	if l.name == "" {
		return linkMessage{}, errPartial
	}
	return l, nil
}

func parseAddress(b []byte) (addressMessage, error) {
	if len(b) < unix.SizeofIfAddrmsg {
		return addressMessage{}, errShort
	}
	header := nl.DeserializeIfAddrmsg(b)
	const unproven = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED
	a := addressMessage{index: int(header.Index), tentative: header.Flags&unproven != 0}
	var peer netip.Addr
	err := attributes(b[unix.SizeofIfAddrmsg:], func(kind uint16, value []byte) {
		addr, ok := netip.AddrFromSlice(value)
		switch {
		case kind == unix.IFA_LOCAL && ok:
			a.local = addr
		// The prefix is that of the peer, which is the address itself where
		// the link is not point-to-point.
		case kind == unix.IFA_ADDRESS && ok:
			a.prefix = netip.PrefixFrom(addr, int(header.Prefixlen)).Masked()
			peer = addr
		}
	})
	if err != nil {
		return addressMessage{}, fmt.Errorf("attributes of an address of link %d: %w", header.Index, err)
	}
	if !a.local.IsValid() {
		a.local = peer // as IPv6 has it
	}
	// A peer of 0.0.0.0 is left out: the address alone is a host route.
	if !a.prefix.IsValid() && a.local.IsValid() {
		a.prefix = netip.PrefixFrom(a.local, a.local.BitLen())
	}
	if !a.prefix.IsValid() {
		return addressMessage{}, fmt.Errorf("address of link %d: %w", header.Index, errShort)
	}
	return a, nil
}

// attributes calls f with the type and the value of each attribute.
func attributes(b []byte, f func(kind uint16, value []byte)) error {
	const typeMask, align = 0x3fff, unix.NLMSG_ALIGNTO - 1
	for len(b) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			return errShort
		}
		f(binary.NativeEndian.Uint16(b[2:])&typeMask, b[unix.SizeofRtAttr:size])
		b = b[min((size+align)&^align, len(b)):]
	}
	return nil
}
