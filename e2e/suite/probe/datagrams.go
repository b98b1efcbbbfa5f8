package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// What docs/heartbeat.md says of heartbeats.
const (
	heartbeatPort  = 9645
	heartbeatHops  = 255
	heartbeatLimit = 1400
	groupIPv4      = "224.0.0.254"
	groupIPv6      = "ff02::114"

	heartbeatMagic = "HRLD"
	kindAt         = 5
	headerLength   = 34
	kindHeartbeat  = 1
	kindClaims     = 2
	keyedFlag      = 0x80
	tagLength      = 16
)

// clusterOf is how a header tells clusters apart.
func clusterOf(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])
}

// speaker is who datagrams say that they are from.
type speaker struct {
	cluster     uint64
	name        string
	incarnation uint64
	sequence    uint64
	// keyed: with a key that is nobody's.
	keyed bool
}

// nobody is a node that there is not.
func nobody(cluster uint64) speaker {
	return speaker{cluster: cluster, name: "nobody", incarnation: 1, sequence: 1}
}

// heartbeat is one of who claims nothing.
func (s speaker) heartbeat(interval time.Duration) []byte {
	const multiplier, prefixes, digest = 4, 0, 8 + 4 + 8
	body := binary.BigEndian.AppendUint64(nil, uint64(interval))
	return s.datagram(kindHeartbeat, append(append(body, multiplier, prefixes), make([]byte, digest)...))
}

// request asks everybody for claims.
func (s speaker) request() []byte {
	const request, rest = 3, 8 + 2 + 2 + 2 + 2
	return s.datagram(kindClaims, append([]byte{request}, make([]byte, rest)...))
}

func (s speaker) datagram(kind byte, body []byte) []byte {
	const version = 1
	length, flags := headerLength+len(s.name)+len(body), byte(0)
	if s.keyed {
		length, flags = length+tagLength, keyedFlag
	}
	datagram := append([]byte(heartbeatMagic), version, kind, flags, byte(len(s.name)))
	datagram = binary.BigEndian.AppendUint16(datagram, uint16(length))
	for _, number := range []uint64{s.cluster, s.incarnation, s.sequence} {
		datagram = binary.BigEndian.AppendUint64(datagram, number)
	}
	datagram = append(append(datagram, s.name...), body...)
	if s.keyed {
		tag := hmac.New(sha256.New, make([]byte, sha256.Size))
		tag.Write(datagram)
		datagram = append(datagram, tag.Sum(nil)[:tagLength]...)
	}
	return datagram
}
