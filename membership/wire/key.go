package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
)

// Bounds of a key, in bytes. One shorter than the hash is weak (RFC 2104 section 3).
const (
	MinKey = sha256.Size
	MaxKey = 1024
)

// tagLen is that of HMAC-SHA-256, truncated to half (RFC 2104 section 5).
const tagLen = sha256.Size / 2

// ParseKey returns the key in a file, which is all of it but the white space around.
func ParseKey(file []byte) ([]byte, error) {
	key := bytes.TrimSpace(file)
	if len(key) < MinKey || len(key) > MaxKey {
		return nil, fmt.Errorf("a key has %d to %d bytes, this one %d", MinKey, MaxKey, len(key))
	}
	return bytes.Clone(key), nil
}

// ClusterOf returns the number that stands for a cluster in datagrams.
func ClusterOf(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])
}

// mac is one key's hash, kept to be used again.
type mac struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

func newMAC(key []byte) *mac { return &mac{hash: hmac.New(sha256.New, key)} }

// tag returns the tag of the bytes, valid until the next call.
func (m *mac) tag(of []byte) []byte {
	m.hash.Reset()
	m.hash.Write(of)
	return m.hash.Sum(m.sum[:0])[:tagLen]
}

func (m *mac) valid(of, tag []byte) bool { return hmac.Equal(m.tag(of), tag) }
