package wire

import (
	"cmp"
	"encoding/binary"

	"github.com/heraldlb/herald/election"
)

// Sealer writes datagrams of one cluster, with one key or none.
type Sealer struct {
	cluster uint64
	mac     *mac
}

// NewSealer returns a Sealer for the cluster (see ClusterOf). Without a key it
// writes datagrams without a tag.
func NewSealer(cluster uint64, key []byte) *Sealer {
	s := &Sealer{cluster: cluster}
	if len(key) > 0 {
		s.mac = newMAC(key)
	}
	return s
}

// AppendHeartbeat appends a heartbeat to b. Its error is the Reason for which a
// receiver would drop it; b is then returned as it was.
func (s *Sealer) AppendHeartbeat(b []byte, h *Header, body *Heartbeat) ([]byte, error) {
	if reason := cmp.Or(body.check(), h.check()); reason != Accepted {
		return b, reason
	}
	start := len(b)
	b = appendHeader(b, h, KindHeartbeat, body.flags()|s.flags(), s.cluster)
	return s.seal(appendHeartbeat(b, body), start)
}

// AppendClaims appends a message between elections to b, with errors as
// AppendHeartbeat's. The entries of the message have at most election.MaxEntryBytes.
func (s *Sealer) AppendClaims(b []byte, h *Header, body *election.Message) ([]byte, error) {
	if reason := cmp.Or(checkClaims(body), h.check()); reason != Accepted {
		return b, reason
	}
	start := len(b)
	b = appendHeader(b, h, KindClaims, s.flags(), s.cluster)
	return s.seal(appendClaims(b, body), start)
}

// AppendRefusal appends a refusal to b, with errors as AppendHeartbeat's.
func (s *Sealer) AppendRefusal(b []byte, h *Header, body *Refusal) ([]byte, error) {
	if reason := cmp.Or(body.check(), h.check()); reason != Accepted {
		return b, reason
	}
	start := len(b)
	b = appendHeader(b, h, KindRefusal, s.flags(), s.cluster)
	return s.seal(appendRefusal(b, body), start)
}

func (s *Sealer) flags() uint8 {
	if s.mac == nil {
		return 0
	}
	return flagKeyed
}

// seal fills in the length and adds the tag.
func (s *Sealer) seal(b []byte, start int) ([]byte, error) {
	length := len(b) - start
	if s.mac != nil {
		length += tagLen
	}
	if length > MaxDatagram {
		return b[:start], Oversized
	}
	binary.BigEndian.PutUint16(b[start+atLength:], uint16(length))
	if s.mac != nil {
		b = append(b, s.mac.tag(b[start:])...)
	}
	return b, nil
}
