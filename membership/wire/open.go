package wire

import (
	"cmp"
	"encoding/binary"
)

// Opener reads datagrams of one cluster.
type Opener struct {
	cluster uint64
	macs    []*mac
}

// NewOpener returns an Opener for the cluster (see ClusterOf). With keys it takes
// what was sealed with any of them, without keys only what has no tag.
func NewOpener(cluster uint64, keys ...[]byte) *Opener {
	o := &Opener{cluster: cluster}
	for _, key := range keys {
		o.macs = append(o.macs, newMAC(key))
	}
	return o
}

// Datagram is one that was opened: a view of bytes that are the caller's.
type Datagram struct {
	Header
	Kind Kind

	flags uint8
	body  []byte
}

// Open checks a datagram from its first byte to its tag, what is cheap before what
// is dear. The body is checked as it is decoded. The Datagram is of use only if it is
// Accepted.
func (o *Opener) Open(b []byte) (Datagram, Reason) {
	if reason := o.checkFrame(b); reason != Accepted {
		return Datagram{}, reason
	}
	sealed, reason := o.checkTag(b)
	if reason != Accepted {
		return Datagram{}, reason
	}
	nameEnd := headerLen + int(b[atNameLen])
	if nameEnd > len(sealed) {
		return Datagram{}, Truncated
	}
	d := Datagram{
		Header: Header{
			Incarnation: binary.BigEndian.Uint64(b[atIncarnation:]),
			Sequence:    binary.BigEndian.Uint64(b[atSequence:]),
			Name:        b[headerLen:nameEnd:nameEnd],
		},
		Kind:  Kind(b[atKind]),
		flags: b[atFlags] &^ flagKeyed,
		body:  sealed[nameEnd:],
	}
	if reason := cmp.Or(d.checkKind(), d.check()); reason != Accepted {
		return Datagram{}, reason
	}
	return d, Accepted
}

// checkFrame checks what tells our datagrams from others.
func (o *Opener) checkFrame(b []byte) Reason {
	if len(b) > MaxDatagram {
		return Oversized
	}
	if len(b) < atVersion {
		return Truncated
	}
	if string(b[:atVersion]) != magic {
		return Magic
	}
	if len(b) == atVersion {
		return Truncated
	}
	if b[atVersion] != Version {
		return Incompatible
	}
	if len(b) < headerLen {
		return Truncated
	}
	switch length := int(binary.BigEndian.Uint16(b[atLength:])); {
	case length > MaxDatagram:
		return Oversized
	case length > len(b):
		return Truncated
	case length < len(b):
		return Trailing
	}
	if binary.BigEndian.Uint64(b[atCluster:]) != o.cluster {
		return OtherCluster
	}
	return Accepted
}

// checkTag returns what the tag covers.
func (o *Opener) checkTag(b []byte) ([]byte, Reason) {
	keyed := b[atFlags]&flagKeyed != 0
	switch {
	case keyed && len(o.macs) == 0:
		return nil, Keyed
	case !keyed && len(o.macs) > 0:
		return nil, Unkeyed
	case !keyed:
		return b, Accepted
	case len(b) < headerLen+tagLen:
		return nil, Truncated
	}
	sealed, tag := b[:len(b)-tagLen], b[len(b)-tagLen:]
	for _, m := range o.macs {
		if m.valid(sealed, tag) {
			return sealed, Accepted
		}
	}
	return nil, Forged
}

// checkKind approves of a known kind with flags of its own.
func (d *Datagram) checkKind() Reason {
	switch d.Kind {
	case KindHeartbeat:
		if d.flags > flagStanding|flagLeaving|flagFarewell {
			return BadFlags
		}
	case KindClaims, KindRefusal:
		if d.flags != 0 {
			return BadFlags
		}
	default:
		return BadKind
	}
	return Accepted
}
