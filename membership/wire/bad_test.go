package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/election"
)

// Offsets in the examples, whose name has 14 bytes.
const (
	bodyAt      = headerLen + 14
	prefixesAt  = bodyAt + heartbeatLen
	claimsAt    = bodyAt + claimsLen
	secondClaim = claimsAt + 5
	thirdClaim  = secondClaim + 17
	droppedAt   = thirdClaim + 5
)

// change returns a datagram with other bytes from an offset on.
func change(b []byte, at int, to ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], to)
	return b
}

// resize returns a datagram with so many bytes more or less at its end, which its
// length field knows of.
func resize(b []byte, by int) []byte {
	b = slices.Grow(bytes.Clone(b), max(by, 0))[:len(b)+by]
	binary.BigEndian.PutUint16(b[atLength:], uint16(len(b)))
	return b
}

// tagged returns a datagram without a tag as somebody with the key would send it.
func tagged(b, key []byte) []byte {
	b = bytes.Clone(b)
	if len(b) < headerLen {
		return b
	}
	b[atFlags] |= flagKeyed
	binary.BigEndian.PutUint16(b[atLength:], uint16(len(b)+tagLen))
	return append(b, newMAC(key).tag(b)...)
}

// plain returns an example without a tag.
func plain(t testing.TB, body any) []byte {
	t.Helper()
	b, err := seal(NewSealer(cluster, nil), header(), body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// renamed returns a datagram whose sender has another name.
func renamed(b []byte, name string) []byte {
	old := int(b[atNameLen])
	b = slices.Replace(bytes.Clone(b), headerLen, headerLen+old, []byte(name)...)
	b[atNameLen] = byte(len(name))
	return resize(b, 0)
}

// What is wrong with a datagram is the same with a key and without.
func TestBadDatagrams(t *testing.T) {
	beat, update, list := plain(t, heartbeat()), plain(t, update()), plain(t, list())
	request, refusal := plain(t, request()), plain(t, refusal())
	nanoseconds := func(d time.Duration) []byte { return binary.BigEndian.AppendUint64(nil, uint64(d)) }

	for _, c := range []struct {
		name string
		b    []byte
		want Reason
	}{
		{"another magic", change(beat, atMagic+3, 'd'), Magic},
		{"a later version", change(beat, atVersion, Version+1), Incompatible},
		{"version 0", change(beat, atVersion, 0), Incompatible},
		{"kind 0", change(beat, atKind, 0), BadKind},
		{"an unknown kind", change(beat, atKind, 4), BadKind},
		{"an unknown flag", change(beat, atFlags, 0x08), BadFlags},
		{"a flag of another kind", change(update, atFlags, flagStanding), BadFlags},
		{"a refusal with flags", change(refusal, atFlags, flagFarewell), BadFlags},
		{"another cluster", change(beat, atCluster, 0), OtherCluster},
		{"incarnation 0", change(beat, atIncarnation, make([]byte, 8)...), BadIncarnation},
		{"an incarnation out of bounds", change(beat, atIncarnation, 0x80), BadIncarnation},
		{"sequence 0", change(beat, atSequence, make([]byte, 8)...), BadSequence},

		{"no name", renamed(beat, ""), BadName},
		{"a name in upper case", renamed(beat, "Node"), BadName},
		{"a name of invalid UTF-8", renamed(beat, "n\xff"), BadName},
		{"a name with a zero byte", renamed(beat, "n\x00"), BadName},
		{"a name with an underscore", renamed(beat, "a_b"), BadName},
		{"a name with a path", renamed(beat, "../b"), BadName},
		{"a name that begins with a dot", renamed(beat, ".a"), BadName},
		{"a name that ends with a dot", renamed(beat, "a."), BadName},
		{"a name with an empty label", renamed(beat, "a..b"), BadName},
		{"a name that begins with a hyphen", renamed(beat, "-a"), BadName},
		{"a label that ends with a hyphen", renamed(beat, "a-.b"), BadName},
		{"a name that ends with a hyphen", renamed(beat, "a-"), BadName},
		{"a name of 254 bytes", renamed(beat, strings.Repeat("a", 254)), BadName},
		{"a name longer than the datagram", change(beat, atNameLen, 200), Truncated},

		{"interval 0", change(beat, bodyAt+atInterval, nanoseconds(0)...), BadInterval},
		{"an interval below 1 ms", change(beat, bodyAt+atInterval, nanoseconds(MinInterval-1)...), BadInterval},
		{"an interval above 60 s", change(beat, bodyAt+atInterval, nanoseconds(MaxInterval+1)...), BadInterval},
		{"a negative interval", change(beat, bodyAt+atInterval, nanoseconds(-1)...), BadInterval},
		{"multiplier 0", change(beat, bodyAt+atMultiplier, 0), BadMultiplier},
		{"multiplier 1", change(beat, bodyAt+atMultiplier, 1), BadMultiplier},
		{"multiplier 101", change(beat, bodyAt+atMultiplier, 101), BadMultiplier},
		{"fewer prefixes than it says", change(beat, bodyAt+atPrefixCount, 3), BadCount},
		{"more prefixes than it says", change(beat, bodyAt+atPrefixCount, 1), BadCount},
		{"17 prefixes", change(beat, bodyAt+atPrefixCount, 17), BadCount},
		{"a prefix that breaks off", resize(beat, -1), BadCount},
		{"a prefix of 33 bits", change(beat, prefixesAt, 33), BadPrefix},
		{"a prefix of no bits", change(beat, prefixesAt, 0, 4, 0, 0, 0, 0), BadPrefix},
		{"a prefix with host bits", change(beat, prefixesAt+5, 1), BadPrefix},
		{"a prefix of family 5", change(beat, prefixesAt+1, 5), BadPrefix},
		{"a prefix that yields", change(beat, prefixesAt+1, 4|markYielding), BadPrefix},
		{"a tentative prefix", change(beat, prefixesAt+1, 4|markTentative), BadPrefix},
		{"a multicast prefix", change(beat, prefixesAt+2, 224), BadPrefix},
		{"a loopback prefix", change(beat, prefixesAt+2, 127), BadPrefix},
		{"an IPv4-mapped prefix", change(beat, prefixesAt+6, append([]byte{120, 6}, mapped("192.0.2.0")...)...), BadPrefix},
		{"a byte after the prefixes", resize(beat, 1), BadCount},
		{"a heartbeat without its fields", resize(beat, -(len(beat) - bodyAt)), Truncated},

		{"message kind 0", change(update, bodyAt+atMessageKind, 0), BadKind},
		{"message kind 4", change(update, bodyAt+atMessageKind, 4), BadKind},
		{"an update in parts", change(update, bodyAt+atParts, 0, 1), BadPart},
		{"a part of an update", change(update, bodyAt+atPart, 0, 1), BadPart},
		{"part 2 of 2", change(list, bodyAt+atPart, 0, 2), BadPart},
		{"part 0 of 0", change(list, bodyAt+atPart, 0, 0, 0, 0), BadPart},
		{"a list that drops", change(list, bodyAt+atClaimCount, 0, 0, 0, 1), BadAddress},
		{"a list that drops, not yielding", change(change(list, bodyAt+atClaimCount, 0, 0, 0, 1), claimsAt, 4), BadCount},
		{"a request in parts", change(request, bodyAt+atParts, 0, 1), BadPart},
		{"a request with claims", change(update, bodyAt+atMessageKind, byte(election.Request)), BadCount},
		{"fewer claims than it says", change(list, bodyAt+atClaimCount, 0, 3), BadCount},
		{"65535 claims", change(list, bodyAt+atClaimCount, 0xff, 0xff), BadCount},
		{"65535 dropped", change(update, bodyAt+atDroppedCount, 0xff, 0xff), BadCount},
		{"more claims than it says", change(list, bodyAt+atClaimCount, 0, 0), BadCount},
		{"a claim that breaks off", resize(list, -1), BadCount},
		{"a byte after the claims", resize(update, 1), BadCount},
		{"a claim of family 5", change(update, claimsAt, 5), BadAddress},
		{"a claim of 0.0.0.0", change(update, claimsAt+1, 0, 0, 0, 0), BadAddress},
		{"a claim of a group", change(update, claimsAt+1, 224), BadAddress},
		{"a claim of the broadcast address", change(update, claimsAt+1, 255, 255, 255, 255), BadAddress},
		{"a claim of a loopback address", change(update, claimsAt+1, 127), BadAddress},
		{"a claim of ::", change(update, secondClaim+1, make([]byte, 16)...), BadAddress},
		{"a claim of a group", change(update, secondClaim+1, 0xff, 0x02), BadAddress},
		{"a claim of an IPv4-mapped address", change(update, secondClaim+1, mapped("192.0.2.1")...), BadAddress},
		{"a claim that yields and is tentative", change(update, thirdClaim, 4|marks), BadAddress},
		{"a claim with an unknown mark", change(update, thirdClaim, 4|0x20), BadAddress},
		{"a tentative drop", change(update, droppedAt, 4|markTentative), BadAddress},
		{"a drop that yields", change(update, droppedAt, 4|markYielding), BadAddress},
		{"a drop of a group", change(update, droppedAt+1, 224), BadAddress},
		{"claims without their fields", resize(request, -1), Truncated},

		{"a refusal of incarnation 0", change(refusal, bodyAt+atRefused, make([]byte, 8)...), BadIncarnation},
		{"a refusal above which nothing is", change(refusal, bodyAt+atRefused, nanoseconds(MaxIncarnation)...), BadIncarnation},
		{"a refusal of a bad name", change(refusal, bodyAt+refusalLen, '-'), BadName},
		{"a refusal with a longer name", change(refusal, bodyAt+atRefusedName, 7), BadCount},
		{"a refusal with a shorter name", change(refusal, bodyAt+atRefusedName, 5), BadCount},
		{"a refusal without its fields", resize(refusal, -7), Truncated},
	} {
		if _, _, got := open(NewOpener(cluster), c.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if _, _, got := open(NewOpener(cluster, key), tagged(c.b, key)); got != c.want {
			t.Errorf("%s, with a key: %v, want %v", c.name, got, c.want)
		}
	}
}

func mapped(address string) []byte {
	b := netip.MustParseAddr("::ffff:" + address).As16()
	return b[:]
}

func TestBadLengths(t *testing.T) {
	beat := golden(t, "heartbeat")
	for _, c := range []struct {
		name string
		b    []byte
		want Reason
	}{
		{"nothing", nil, Truncated},
		{"a byte after the end", append(bytes.Clone(beat), 0), Trailing},
		{"length 0", change(beat, atLength, 0, 0), Trailing},
		{"a length beyond the end", change(beat, atLength, 0, byte(len(beat)+1)), Truncated},
		{"a length beyond all", change(beat, atLength, 0xff, 0xff), Oversized},
		{"1400 bytes that are not ours", make([]byte, MaxDatagram), Magic},
		{"1401 bytes", make([]byte, MaxDatagram+1), Oversized},
		{"64 KiB", make([]byte, 1<<16), Oversized},
		{"keyed, too short for a tag", resize(change(beat, atNameLen, 0), headerLen+tagLen-1-len(beat)), Truncated},
	} {
		if _, got := NewOpener(cluster, key).Open(c.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A datagram cut short is dropped, also if its length field and its tag were made to fit.
func TestTruncated(t *testing.T) {
	for _, e := range examples() {
		whole := plain(t, e.body)
		for n := range whole {
			if _, _, got := open(NewOpener(cluster), whole[:n]); got != Truncated {
				t.Errorf("%s: %d of %d bytes: %v", e.name, n, len(whole), got)
			}
			if n < headerLen {
				continue
			}
			fitted := resize(whole, n-len(whole))
			if _, _, got := open(NewOpener(cluster), fitted); got == Accepted {
				t.Errorf("%s: %d of %d bytes, length made to fit: accepted", e.name, n, len(whole))
			}
			if _, _, got := open(NewOpener(cluster, key), tagged(fitted, key)); got == Accepted {
				t.Errorf("%s: %d of %d bytes, length and tag made to fit: accepted", e.name, n, len(whole))
			}
		}
	}
}

// The tag covers every bit, the header's among them.
func TestFlippedBits(t *testing.T) {
	opener := NewOpener(cluster, key)
	for _, e := range examples() {
		whole := tagged(plain(t, e.body), key)
		for bit := range len(whole) * 8 {
			if _, reason := opener.Open(change(whole, bit/8, whole[bit/8]^1<<(bit%8))); reason == Accepted {
				t.Errorf("%s: accepted with bit %d of byte %d flipped", e.name, bit%8, bit/8)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	old, next := key, other
	for _, c := range []struct {
		name   string
		signer []byte
		opener [][]byte
		want   Reason
	}{
		{"no key, none asked for", nil, nil, Accepted},
		{"the key", old, [][]byte{old}, Accepted},
		{"no key, one asked for", nil, [][]byte{old}, Unkeyed},
		{"a key, none known", old, nil, Keyed},
		{"another key", next, [][]byte{old}, Forged},
		{"rotation: the next is known", old, [][]byte{old, next}, Accepted},
		{"rotation: the next signs", next, [][]byte{old, next}, Accepted},
		{"rotation: the old is known still", old, [][]byte{next, old}, Accepted},
		{"rotation: the old is gone", old, [][]byte{next}, Forged},
		{"none of two", bytes.Repeat([]byte{1}, MinKey), [][]byte{old, next}, Forged},
	} {
		b, err := seal(NewSealer(cluster, c.signer), header(), heartbeat())
		if err != nil {
			t.Fatal(err)
		}
		if _, got := NewOpener(cluster, c.opener...).Open(b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Another cluster is told apart before its key is tried: it is no attack.
func TestOtherCluster(t *testing.T) {
	for _, signer := range [][]byte{nil, key, other} {
		b, err := seal(NewSealer(ClusterOf("another"), signer), header(), heartbeat())
		if err != nil {
			t.Fatal(err)
		}
		if _, got := NewOpener(cluster, key).Open(b); got != OtherCluster {
			t.Errorf("%v, want %v", got, OtherCluster)
		}
	}
}

func TestDecodeAnotherKind(t *testing.T) {
	for _, e := range examples() {
		d, reason := NewOpener(cluster).Open(plain(t, e.body))
		if reason != Accepted {
			t.Fatalf("%s: %v", e.name, reason)
		}
		for kind, reason := range map[Kind]Reason{
			KindHeartbeat: d.Heartbeat(new(Heartbeat)),
			KindClaims:    d.Claims(new(election.Message)),
			KindRefusal:   d.Refusal(new(Refusal)),
		} {
			if (reason == BadKind) == (kind == d.Kind) {
				t.Errorf("%s decoded as kind %d: %v", e.name, kind, reason)
			}
		}
	}
}

// What a receiver would drop is not sent, and leaves the buffer as it was.
func TestSealRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		header func(*Header)
		beat   func(*Heartbeat)
		want   Reason
	}{
		{name: "no name", header: func(h *Header) { h.Name = nil }, want: BadName},
		{name: "no incarnation", header: func(h *Header) { h.Incarnation = 0 }, want: BadIncarnation},
		{name: "no sequence", header: func(h *Header) { h.Sequence = 0 }, want: BadSequence},
		{name: "no interval", beat: func(b *Heartbeat) { b.Interval = 0 }, want: BadInterval},
		{name: "no multiplier", beat: func(b *Heartbeat) { b.Multiplier = 0 }, want: BadMultiplier},
		{name: "an invalid prefix", beat: func(b *Heartbeat) { b.Prefixes[0] = netip.Prefix{} }, want: BadPrefix},
		{name: "a prefix with host bits", beat: func(b *Heartbeat) { b.Prefixes = prefixes("192.0.2.1/24") }, want: BadPrefix},
		{name: "17 prefixes", beat: func(b *Heartbeat) { b.Prefixes = slices.Repeat(prefixes("192.0.2.0/24"), 17) }, want: BadCount},
	} {
		h, beat := header(), heartbeat()
		if c.header != nil {
			c.header(h)
		}
		if c.beat != nil {
			c.beat(beat)
		}
		b, err := NewSealer(cluster, key).AppendHeartbeat([]byte("before"), h, beat)
		if !errors.Is(err, c.want) || string(b) != "before" {
			t.Errorf("%s: %q, %v, want %v", c.name, b, err, c.want)
		}
	}
	for name, address := range map[string]netip.Addr{
		"no address":             {},
		"an IPv4-mapped address": netip.MustParseAddr("::ffff:192.0.2.1"),
		"a zone":                 netip.MustParseAddr("fe80::1%eth0"),
		"a group":                netip.MustParseAddr("ff02::1"),
	} {
		for _, m := range []*election.Message{
			{Kind: election.Update, Claims: []election.Claim{{Address: address}}},
			{Kind: election.Update, Dropped: []netip.Addr{address}},
		} {
			if _, err := NewSealer(cluster, key).AppendClaims(nil, header(), m); !errors.Is(err, BadAddress) {
				t.Errorf("%s: %v, want %v", name, err, BadAddress)
			}
		}
	}
}
