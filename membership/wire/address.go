package wire

import "net/netip"

// An address is written as a byte for its family and marks, then its bytes.
const (
	family4       = 4
	family6       = 6
	markYielding  = 0x80
	markTentative = 0x40
	marks         = markYielding | markTentative
)

// validAddress approves of what can be an address of a host.
func validAddress(a netip.Addr) bool {
	return !a.Is4In6() && a.Zone() == "" && (a.IsGlobalUnicast() || a.IsLinkLocalUnicast())
}

func appendAddress(b []byte, mark byte, a netip.Addr) []byte {
	if a.Is4() {
		bytes := a.As4()
		return append(append(b, family4|mark), bytes[:]...)
	}
	bytes := a.As16()
	return append(append(b, family6|mark), bytes[:]...)
}

// cutAddress reads an address and its marks, which are not judged here.
func cutAddress(b []byte) (a netip.Addr, mark byte, rest []byte, reason Reason) {
	if len(b) == 0 {
		return a, 0, nil, BadCount
	}
	mark, family := b[0]&marks, b[0]&^marks
	b = b[1:]
	switch {
	case family == family4 && len(b) >= 4:
		return netip.AddrFrom4([4]byte(b)), mark, b[4:], Accepted
	case family == family6 && len(b) >= 16:
		return netip.AddrFrom16([16]byte(b)), mark, b[16:], Accepted
	case family == family4, family == family6:
		return a, 0, nil, BadCount
	}
	return a, 0, nil, BadAddress
}

// validPrefix approves of what can be on-link. A prefix of length 0 says nothing.
func validPrefix(p netip.Prefix) bool {
	a := p.Addr()
	return p.Bits() > 0 && p == p.Masked() && !a.Is4In6() && !a.IsMulticast() && !a.IsLoopback()
}

// cutPrefix reads a prefix that validPrefix has yet to judge.
func cutPrefix(b []byte) (p netip.Prefix, rest []byte, reason Reason) {
	if len(b) == 0 {
		return p, nil, BadCount
	}
	a, mark, rest, reason := cutAddress(b[1:])
	switch {
	case reason == BadCount:
		return p, nil, reason
	case reason != Accepted, mark != 0:
		return p, nil, BadPrefix
	}
	return netip.PrefixFrom(a, int(b[0])), rest, Accepted
}
