package wire

import (
	"encoding/binary"
	"math"
)

// Kind tells what a datagram is.
type Kind uint8

// The kinds of datagrams.
const (
	KindHeartbeat Kind = iota + 1
	KindClaims
	KindRefusal
)

// Header tells who sends a datagram.
type Header struct {
	// Incarnation is higher in each run of the node's announcer; at least 1.
	Incarnation uint64
	// Sequence tells the datagrams of an incarnation apart; at least 1. In a refusal it
	// is the highest that is known of the incarnation.
	Sequence uint64
	// Name is the node's, of which CheckName approves. In a datagram that was opened
	// it is a view of the datagram's bytes.
	Name []byte
}

// The header, before the name.
const (
	atMagic       = 0
	atVersion     = 4
	atKind        = 5
	atFlags       = 6
	atNameLen     = 7
	atLength      = 8
	atCluster     = 10
	atIncarnation = 18
	atSequence    = 26
	headerLen     = 34
)

const magic = "HRLD"

// Flags. All but the highest belong to the kind.
const (
	flagStanding = 1 << iota
	flagLeaving
	flagFarewell
	flagKeyed = 0x80
)

// MaxIncarnation leaves room above the clock that incarnations are taken from.
const MaxIncarnation = math.MaxInt64

func (h *Header) check() Reason {
	switch {
	case h.Incarnation == 0 || h.Incarnation > MaxIncarnation:
		return BadIncarnation
	case h.Sequence == 0:
		return BadSequence
	case !validName(h.Name):
		return BadName
	}
	return Accepted
}

func appendHeader(b []byte, h *Header, kind Kind, flags uint8, cluster uint64) []byte {
	b = append(b, magic...)
	b = append(b, Version, byte(kind), flags, byte(len(h.Name)))
	b = append(b, 0, 0) // the length, filled in when it is known
	b = binary.BigEndian.AppendUint64(b, cluster)
	b = binary.BigEndian.AppendUint64(b, h.Incarnation)
	b = binary.BigEndian.AppendUint64(b, h.Sequence)
	return append(b, h.Name...)
}

// CheckName returns BadName for a node name that is not a DNS subdomain (RFC 1123
// section 2.1) in lower case, as Kubernetes wants it.
func CheckName(name string) error {
	if !validName([]byte(name)) {
		return BadName
	}
	return nil
}

func validName(name []byte) bool {
	if len(name) == 0 || len(name) > MaxName {
		return false
	}
	before := byte('.')
	for _, c := range name {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' && before != '.':
		case c == '.' && before != '.' && before != '-':
		default:
			return false
		}
		before = c
	}
	return before != '.' && before != '-'
}
