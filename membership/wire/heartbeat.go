package wire

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/heraldlb/herald/election"
)

// Heartbeat is what an announcer says again and again.
type Heartbeat struct {
	// Interval is the time to the sender's next heartbeat, and Multiplier the number
	// of intervals of silence after which it is dead.
	Interval   time.Duration
	Multiplier uint8
	// Standing says that the sender takes addresses.
	Standing bool
	// Leaving says that the sender hands its addresses over.
	Leaving bool
	// Farewell says that the sender is gone with this heartbeat.
	Farewell bool
	Digest   election.Digest
	// Prefixes are on-link on the interface that the heartbeat is sent on: masked,
	// unicast, at most MaxPrefixes. OnLink picks them.
	Prefixes []netip.Prefix
}

// A heartbeat's body, before the prefixes.
const (
	atInterval      = 0
	atMultiplier    = 8
	atPrefixCount   = 9
	atDigestVersion = 10
	atDigestCount   = 18
	atDigestSum     = 22
	heartbeatLen    = 30
)

func (h *Heartbeat) check() Reason {
	if h.Interval < MinInterval || h.Interval > MaxInterval {
		return BadInterval
	}
	if h.Multiplier < MinMultiplier || h.Multiplier > MaxMultiplier {
		return BadMultiplier
	}
	if len(h.Prefixes) > MaxPrefixes {
		return BadCount
	}
	for _, p := range h.Prefixes {
		if !validPrefix(p) {
			return BadPrefix
		}
	}
	return Accepted
}

func (h *Heartbeat) flags() uint8 {
	var flags uint8
	if h.Standing {
		flags |= flagStanding
	}
	if h.Leaving {
		flags |= flagLeaving
	}
	if h.Farewell {
		flags |= flagFarewell
	}
	return flags
}

func appendHeartbeat(b []byte, h *Heartbeat) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(h.Interval))
	b = append(b, h.Multiplier, byte(len(h.Prefixes)))
	b = binary.BigEndian.AppendUint64(b, h.Digest.Version)
	b = binary.BigEndian.AppendUint32(b, h.Digest.Count)
	b = binary.BigEndian.AppendUint64(b, h.Digest.Sum)
	for _, p := range h.Prefixes {
		b = append(b, byte(p.Bits()))
		b = appendAddress(b, 0, p.Addr())
	}
	return b
}

// Heartbeat decodes the body of a heartbeat. It overwrites all of into, and uses
// the array of its prefixes.
func (d *Datagram) Heartbeat(into *Heartbeat) Reason {
	if d.Kind != KindHeartbeat {
		return BadKind
	}
	b := d.body
	if len(b) < heartbeatLen {
		return Truncated
	}
	*into = Heartbeat{
		Interval:   time.Duration(binary.BigEndian.Uint64(b[atInterval:])),
		Multiplier: b[atMultiplier],
		Standing:   d.flags&flagStanding != 0,
		Leaving:    d.flags&flagLeaving != 0,
		Farewell:   d.flags&flagFarewell != 0,
		Digest: election.Digest{
			Version: binary.BigEndian.Uint64(b[atDigestVersion:]),
			Count:   binary.BigEndian.Uint32(b[atDigestCount:]),
			Sum:     binary.BigEndian.Uint64(b[atDigestSum:]),
		},
		Prefixes: into.Prefixes[:0],
	}
	count := int(b[atPrefixCount])
	if count > MaxPrefixes {
		return BadCount
	}
	b = b[heartbeatLen:]
	for range count {
		prefix, rest, reason := cutPrefix(b)
		if reason != Accepted {
			return reason
		}
		into.Prefixes = append(into.Prefixes, prefix)
		b = rest
	}
	if len(b) > 0 {
		return BadCount
	}
	return into.check()
}
