package wire

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// canonical fails unless a datagram that opens encodes to the same bytes.
func canonical(t *testing.T, o *Opener, s *Sealer, b []byte) {
	t.Helper()
	before := bytes.Clone(b)
	h, body, reason := open(o, b)
	if !bytes.Equal(b, before) {
		t.Fatalf("reading changed %x to %x", before, b)
	}
	if reason != Accepted {
		return
	}
	again, err := seal(s, h, body)
	if err != nil {
		t.Fatalf("%x was read, but not written: %v", b, err)
	}
	if !bytes.Equal(again, b) {
		t.Fatalf("%x was read, and written as %x", b, again)
	}
}

// Any bytes: read as they are, and as somebody with the key would send them.
func FuzzOpen(f *testing.F) {
	for _, e := range examples() {
		f.Add(golden(f, e.name))
		f.Add(plain(f, e.body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		canonical(t, NewOpener(cluster), NewSealer(cluster, nil), b)
		canonical(t, NewOpener(cluster, other, key), NewSealer(cluster, key), b)
		canonical(t, NewOpener(cluster, key), NewSealer(cluster, key), tagged(b, key))
		if _, reason := NewOpener(cluster, other).Open(b); reason == Accepted {
			t.Fatalf("%x opens with a key that it was not sealed with", b)
		}
	})
}

// Any body, in a datagram that is otherwise right.
func FuzzBody(f *testing.F) {
	for _, e := range examples() {
		b := plain(f, e.body)
		f.Add(b[atKind], b[atFlags], b[bodyAt:])
	}
	f.Fuzz(func(t *testing.T, kind, flags uint8, body []byte) {
		b := appendHeader(nil, header(), Kind(kind), flags&^flagKeyed, cluster)
		b = append(b, body...)
		binary.BigEndian.PutUint16(b[atLength:], uint16(len(b)))
		canonical(t, NewOpener(cluster), NewSealer(cluster, nil), b)
	})
}
