package election

import (
	"net/netip"
	"testing"
	"time"
)

// A member that claims the world costs a bounded amount, and takes nothing from
// the addresses that count.
func TestClaimsAreBounded(t *testing.T) {
	e := New(id("self"), DefaultTiming())
	e.Join(start, peer("greedy"))
	e.Heard(start, id("greedy"), Digest{})
	addr := netip.MustParseAddr("2001:db8::")
	for version := uint64(1); len(e.all) < maxClaims; version++ {
		msg := Message{Kind: Update, Version: version}
		for range 60 {
			addr = addr.Next()
			msg.Claims = append(msg.Claims, Claim{Address: addr})
		}
		e.Receive(start, id("greedy"), msg)
		e.Take()
	}
	e.Receive(start, id("greedy"), Message{Kind: Update, Version: e.roll[0].have.Version + 1, Claims: []Claim{{Address: addr.Next()}}})
	if e.Take(); len(e.all) != maxClaims {
		t.Errorf("%d addresses are remembered", len(e.all))
	}
	e.Put(start, candidate("192.0.2.1"))
	e.Join(start, peer("a"))
	e.Heard(start, id("a"), Digest{})
	e.Receive(start, id("a"), Message{Kind: Update, Version: 1, Claims: []Claim{{Address: netip.MustParseAddr("192.0.2.1")}}})
	if got := e.Take().Changes; len(got) != 1 || got[0].Owner != "a" {
		t.Errorf("changes %+v", got)
	}
	e.Gone(start, id("greedy"))
	if e.Take(); len(e.all) != 1 {
		t.Errorf("%d addresses are remembered of who is gone", len(e.all))
	}
	sound(t, e)
}

// Nor do updates that cannot be applied pile up, nor the parts of a list.
func TestWhatIsHeldBackIsBounded(t *testing.T) {
	e := New(id("self"), DefaultTiming())
	e.Join(start, peer("a"))
	e.Heard(start, id("a"), Digest{Version: 1, Count: 1})
	claims := make([]Claim, 200)
	for version := range uint64(1000) {
		e.Receive(start, id("a"), Message{Kind: Update, Version: version + 3, Claims: claims})
		e.Receive(start, id("a"), Message{Kind: List, Version: 2, Part: uint16(version), Parts: maxParts, Claims: claims})
	}
	m := e.roll[0]
	held := 0
	for _, msg := range m.held {
		held += len(msg.Claims)
	}
	if held == 0 || held > maxHeld || len(m.list.claims) == 0 || len(m.list.claims) > maxClaims {
		t.Errorf("%d claims in updates, %d in a list", held, len(m.list.claims))
	}
}

// An answer fits its datagrams, whatever the addresses.
func TestMessagesFit(t *testing.T) {
	e := New(id("self"), DefaultTiming())
	e.Stand(start, true)
	for _, addr := range addrs(1000) {
		e.Put(start, Candidate{Address: addr, Segments: 1, Eligible: true})
	}
	e.Join(start, peer("a"))
	e.Heard(start, id("a"), Digest{})
	e.Take()
	e.Receive(start.Add(time.Second), id("a"), Message{Kind: Request})
	e.Withdraw(start.Add(time.Second))
	e.Leave(start.Add(time.Second))
	messages := e.Take().Messages
	if len(messages) < 10 {
		t.Fatalf("%d messages", len(messages))
	}
	for _, out := range messages {
		size := 0
		for _, c := range out.Message.Claims {
			size += entrySize(c.Address)
		}
		for _, addr := range out.Message.Dropped {
			size += entrySize(addr)
		}
		if size > MaxEntryBytes {
			t.Errorf("%d bytes of entries in a message", size)
		}
	}
}

// Nodes of different versions must sum up alike, as they must weigh alike.
func TestFingerprintGolden(t *testing.T) {
	tests := []struct {
		addr string
		hold hold
		want uint64
	}{
		{"192.0.2.1", firm, 0xa255154669e170ed},
		{"192.0.2.1", yielding, 0xaa393992bcf32cc2},
		{"192.0.2.1", tentative, 0x50634e5f5fe9a462},
		{"2001:db8::1", firm, 0xd2a4a59594eb4cab},
		{"2001:db8::1", yielding, 0xa69701e47e9c2271},
		{"2001:db8::1", tentative, 0xc78b1043403ce5cb},
	}
	for _, test := range tests {
		if got := fingerprint(netip.MustParseAddr(test.addr), test.hold); got != test.want {
			t.Errorf("%s, %d: %#x, want %#x", test.addr, test.hold, got, test.want)
		}
	}
}
