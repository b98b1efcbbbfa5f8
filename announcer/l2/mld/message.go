// Package mld is the listener's half of Multicast Listener Discovery: it tells
// switches, which snoop, that an interface wants the frames of a group. It is
// MLDv2 (RFC 3810) as light as RFC 5790 has it, and MLDv1 (RFC 2710) where the
// querier speaks no other.
//
// The kernel could do it (IPV6_JOIN_GROUP), but searches the list of all its
// groups for each multicast packet that arrives: with a thousand groups, that
// takes as long as the answer to a solicitation.
package mld

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The message types of ICMPv6.
const (
	typeQuery    = 130
	typeReport1  = 131
	typeDone1    = 132
	typeReport2  = 143
	message1Size = 24
	query2Size   = 28
	recordSize   = 20
	headerSize   = 8
)

// maxRecords is how many records fit in a packet of the least MTU of IPv6.
const maxRecords = 60

// recordType is that of a multicast address record (RFC 3810 section 5.2.12).
type recordType byte

const (
	modeIsExclude   recordType = 2
	changeToInclude recordType = 3
	changeToExclude recordType = 4
)

// Query is a question of a router or switch for groups that have listeners.
type Query struct {
	// Group is the one that is asked for; zero: all.
	Group netip.Addr
	// MaxDelay bounds the time until the answer.
	MaxDelay time.Duration
	// Version is that of the querier, 1 or 2.
	Version int
}

// ParseQuery reads an ICMPv6 message; ok is false if it is no query.
func ParseQuery(b []byte) (q Query, ok bool) {
	if len(b) < message1Size || b[0] != typeQuery {
		return Query{}, false
	}
	code := binary.BigEndian.Uint16(b[4:])
	q = Query{Version: 1, MaxDelay: time.Duration(code) * time.Millisecond}
	if len(b) >= query2Size {
		q.Version, q.MaxDelay = 2, maxDelay(code)
	}
	if group := netip.AddrFrom16([16]byte(b[8:])); !group.IsUnspecified() {
		q.Group = group
	}
	return q, true
}

// maxDelay decodes the floating-point form of long delays (RFC 3810 section
// 5.1.3).
func maxDelay(code uint16) time.Duration {
	if code < 1<<15 {
		return time.Duration(code) * time.Millisecond
	}
	mantissa, exponent := int64(code&0xfff|0x1000), code>>12&7
	return time.Duration(mantissa<<(exponent+3)) * time.Millisecond
}

// Packet is an ICMPv6 message, without a checksum, and where it goes.
type Packet struct {
	To      netip.Addr
	Message []byte
}

// The groups that routers and switches listen to, ff02::2 and ff02::16.
func allRouters() netip.Addr { return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 0x02}) }

func allMLDv2Routers() netip.Addr { return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 0x16}) }

// record says something of a group.
type record struct {
	kind  recordType
	group netip.Addr
}

// packets writes records as packets of a version.
func packets(version int, records []record) []Packet {
	if version == 1 {
		return packets1(records)
	}
	var all []Packet
	for len(records) > 0 {
		n := min(len(records), maxRecords)
		all = append(all, Packet{To: allMLDv2Routers(), Message: report2(records[:n])})
		records = records[n:]
	}
	return all
}

func report2(records []record) []byte {
	b := make([]byte, headerSize, headerSize+len(records)*recordSize)
	b[0] = typeReport2
	binary.BigEndian.PutUint16(b[6:], uint16(len(records)))
	for _, r := range records {
		b = append(b, byte(r.kind), 0, 0, 0)
		b = append(b, r.group.AsSlice()...)
	}
	return b
}

func packets1(records []record) []Packet {
	all := make([]Packet, 0, len(records))
	for _, r := range records {
		p := Packet{To: r.group, Message: make([]byte, headerSize, message1Size)}
		p.Message[0] = typeReport1
		if r.kind == changeToInclude {
			p.To, p.Message[0] = allRouters(), typeDone1
		}
		p.Message = append(p.Message, r.group.AsSlice()...)
		all = append(all, p)
	}
	return all
}
