package election

import (
	"net/netip"
	"testing"
	"time"
)

// Of two nodes that have one name and claim one address, one gives it up, also when
// the incarnation of one is another than it began with.
func TestOneName(t *testing.T) {
	addr, now := netip.MustParseAddr("192.0.2.1"), start
	prefixes := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	first, second := New(ID{Node: "a", Incarnation: 1}, DefaultTiming()), New(ID{Node: "a", Incarnation: 2}, DefaultTiming())
	const renumbered = 3
	said := make(map[*Election][]Outgoing)
	for _, e := range []*Election{first, second} {
		e.Stand(now, true)
		e.Put(now, Candidate{Address: addr, Segments: 1, Eligible: true})
		said[e] = e.Take().Messages
	}
	first.Renumber(now, renumbered)
	meet := func(e, other *Election, id ID) {
		e.Join(now, Member{ID: id, Segments: 1, Prefixes: prefixes, Standing: true})
		for _, out := range said[other] {
			e.Receive(now, id, out.Message)
		}
		e.Heard(now, id, other.Digest())
	}
	firstID, secondID := ID{Node: "a", Incarnation: renumbered}, ID{Node: "a", Incarnation: 2}
	meet(first, second, secondID)
	meet(second, first, firstID)
	for range 100 {
		ofFirst, ofSecond := first.Take().Messages, second.Take().Messages
		for _, out := range ofFirst {
			second.Receive(now, firstID, out.Message)
		}
		for _, out := range ofSecond {
			first.Receive(now, secondID, out.Message)
		}
		now = now.Add(10 * time.Millisecond)
		first.Advance(now)
		second.Advance(now)
	}
	if first.owned != 1 || second.owned != 0 {
		t.Errorf("the first owns %d, the second %d", first.owned, second.owned)
	}
}
