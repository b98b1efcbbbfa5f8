package election

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	on    = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
)

// id is that of a node's first run, or of another: "a", "a/2".
func id(run string) ID {
	id := ID{Node: run, Incarnation: 1}
	if node, incarnation, ok := strings.Cut(run, "/"); ok {
		id.Node = node
		id.Incarnation, _ = strconv.ParseUint(incarnation, 10, 64)
	}
	return id
}

func peer(node string) Member { return Member{ID: id(node), Segments: 1, Prefixes: on, Standing: true} }

func candidate(addr string) Candidate {
	return Candidate{Address: netip.MustParseAddr(addr), Segments: 1, Eligible: true}
}

// A node without peers claims at once what it may own, and not before it stands.
func TestAlone(t *testing.T) {
	e := New(id("a"), DefaultTiming())
	e.Put(start, candidate("192.0.2.1"))
	if got := e.Take(); got.Changes != nil || got.Messages != nil {
		t.Fatalf("does not stand, and wants %+v", got)
	}
	e.Stand(start, true)
	got := e.Take()
	if len(got.Changes) != 1 || !got.Changes[0].Own || got.Changes[0].Owner != "a" || got.Changes[0].Tentative {
		t.Errorf("changes %+v", got.Changes)
	}
	if len(got.Messages) != 1 || got.Messages[0].Message.Version != 1 || e.Digest().Count != 1 {
		t.Errorf("messages %+v, digest %+v", got.Messages, e.Digest())
	}
	e.Leave(start)
	if got := e.Take(); !e.Left() || len(got.Changes) != 1 || got.Changes[0].Own || e.Digest() != (Digest{Version: 2}) {
		t.Errorf("left: %v, wants %+v, digest %+v", e.Left(), got, e.Digest())
	}
}

// An owner that gives way to a claim which is gone before anybody acts on it need not
// find out what it knows: nobody would probe for it, since nothing has changed.
func TestOwnerGivesWayForNothing(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	e := New(id("x"), DefaultTiming())
	e.Stand(start, true)
	for _, node := range []string{"a", "b"} {
		e.Join(start, peer(node))
		e.Heard(start, id(node), Digest{})
	}
	e.Join(start, Member{ID: id("b"), Segments: 1, Prefixes: on}) // it hears, and takes nothing
	e.Receive(start, id("a"), Message{Kind: Update, Version: 1, Claims: []Claim{{Address: addr}}})
	may := candidate("192.0.2.1")
	may.Probe = true
	e.Put(start, may)
	e.Gone(start, id("a"))
	if got := e.Take().Changes; len(got) != 1 || !got[0].Own || got[0].Tentative {
		t.Fatalf("changes %+v", got)
	}
	not := may
	not.Eligible = false
	e.Put(start, not)
	e.Take()
	e.Receive(start, id("b"), Message{Kind: Update, Version: 1, Claims: []Claim{{Address: addr, Tentative: true}}})
	e.Put(start, may)
	e.Gone(start, id("b"))
	if got := e.Take().Changes; len(got) != 0 || e.addresses[addr].own != firm {
		t.Errorf("changes %+v, held as %d", got, e.addresses[addr].own)
	}
	sound(t, e)
}
