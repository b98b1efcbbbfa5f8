package wire

import (
	"encoding/binary"
	"net/netip"

	"github.com/heraldlb/herald/election"
)

// The body of a message between elections, before the entries.
const (
	atMessageKind    = 0
	atMessageVersion = 1
	atPart           = 9
	atParts          = 11
	atClaimCount     = 13
	atDroppedCount   = 15
	claimsLen        = 17
)

// A message whose entries have election.MaxEntryBytes fits, whatever the name.
const _ uint = MaxDatagram - (headerLen + MaxName + claimsLen + election.MaxEntryBytes + tagLen)

// checkClaims approves of a message: each kind has its fields, the others are 0.
func checkClaims(m *election.Message) Reason {
	if reason := checkMessageKind(m); reason != Accepted {
		return reason
	}
	entries := 0
	for i := range m.Claims {
		a := m.Claims[i].Address
		if !validAddress(a) || m.Claims[i].Yielding && m.Claims[i].Tentative {
			return BadAddress
		}
		entries += 1 + a.BitLen()/8
	}
	for _, a := range m.Dropped {
		if !validAddress(a) {
			return BadAddress
		}
		entries += 1 + a.BitLen()/8
	}
	if entries > election.MaxEntryBytes {
		return BadCount
	}
	return Accepted
}

func checkMessageKind(m *election.Message) Reason {
	switch m.Kind {
	case election.Update:
		if m.Part != 0 || m.Parts != 0 {
			return BadPart
		}
	case election.List:
		if m.Part >= m.Parts {
			return BadPart
		}
		if len(m.Dropped) > 0 {
			return BadCount
		}
	case election.Request:
		if m.Part != 0 || m.Parts != 0 {
			return BadPart
		}
		if len(m.Claims)+len(m.Dropped) > 0 {
			return BadCount
		}
	default:
		return BadKind
	}
	return Accepted
}

func appendClaims(b []byte, m *election.Message) []byte {
	b = append(b, byte(m.Kind))
	b = binary.BigEndian.AppendUint64(b, m.Version)
	b = binary.BigEndian.AppendUint16(b, m.Part)
	b = binary.BigEndian.AppendUint16(b, m.Parts)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Claims)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Dropped)))
	for _, c := range m.Claims {
		var mark byte
		if c.Yielding {
			mark |= markYielding
		}
		if c.Tentative {
			mark |= markTentative
		}
		b = appendAddress(b, mark, c.Address)
	}
	for _, a := range m.Dropped {
		b = appendAddress(b, 0, a)
	}
	return b
}

// Claims decodes the body of a message between elections. It overwrites all of
// into, and uses the arrays of its claims and dropped addresses: a message that is
// kept needs arrays of its own.
func (d *Datagram) Claims(into *election.Message) Reason {
	if d.Kind != KindClaims {
		return BadKind
	}
	b := d.body
	if len(b) < claimsLen {
		return Truncated
	}
	*into = election.Message{
		Kind:    election.Kind(b[atMessageKind]),
		Version: binary.BigEndian.Uint64(b[atMessageVersion:]),
		Part:    binary.BigEndian.Uint16(b[atPart:]),
		Parts:   binary.BigEndian.Uint16(b[atParts:]),
		Claims:  into.Claims[:0],
		Dropped: into.Dropped[:0],
	}
	claims := binary.BigEndian.Uint16(b[atClaimCount:])
	dropped := binary.BigEndian.Uint16(b[atDroppedCount:])
	b = b[claimsLen:]
	var reason Reason
	if into.Claims, b, reason = cutClaims(into.Claims, b, int(claims)); reason != Accepted {
		return reason
	}
	if into.Dropped, b, reason = cutDropped(into.Dropped, b, int(dropped)); reason != Accepted {
		return reason
	}
	if len(b) > 0 {
		return BadCount
	}
	return checkClaims(into)
}

func cutClaims(into []election.Claim, b []byte, count int) ([]election.Claim, []byte, Reason) {
	for range count {
		a, mark, rest, reason := cutAddress(b)
		if reason != Accepted {
			return into, nil, reason
		}
		into = append(into, election.Claim{Address: a, Yielding: mark&markYielding != 0, Tentative: mark&markTentative != 0})
		b = rest
	}
	return into, b, Accepted
}

func cutDropped(into []netip.Addr, b []byte, count int) ([]netip.Addr, []byte, Reason) {
	for range count {
		a, mark, rest, reason := cutAddress(b)
		if reason == Accepted && mark != 0 {
			reason = BadAddress
		}
		if reason != Accepted {
			return into, nil, reason
		}
		into = append(into, a)
		b = rest
	}
	return into, b, Accepted
}
