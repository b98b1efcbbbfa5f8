package membership

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/election"
)

// Members see each other, by either family and by both.
func TestJoin(t *testing.T) {
	for name, families := range map[string][]string{v4: {v4}, v6: {v6}, "both": {v4, v6}} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			a, b, c := run(t, n.host(t, families...), fast("a")), run(t, n.host(t, families...), fast("b")), run(t, n.host(t, families...), fast("c"))
			for _, s := range []*station{a, b, c} {
				for _, other := range []string{"a", "b", "c"} {
					if other != s.options.Node {
						s.waitJoined(t, other)
					}
				}
			}
		})
	}
}

// A member that falls silent is dead.
func TestSilence(t *testing.T) {
	n := newNetwork(t)
	a, b := run(t, n.host(t, v4, v6), fast("a")), run(t, n.host(t, v4, v6), fast("b"))
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
	n.sw.Down(t, "p2") // the cable to b
	if e := a.waitGone(t, "b"); e.reason != Silent {
		t.Errorf("b is gone: %s, want %s", e.reason, Silent)
	}
	b.waitGone(t, "a")
	a.forget()
	b.forget()
	n.sw.Up(t, "p2")
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
}

// A member that says so is gone.
func TestFarewell(t *testing.T) {
	n := newNetwork(t)
	a, b := run(t, n.host(t, v4, v6), fast("a")), run(t, n.host(t, v4, v6), fast("b"))
	a.waitJoined(t, "b")
	b.Farewell()
	if e := a.waitGone(t, "b"); e.reason != Farewell {
		t.Errorf("b is gone: %s, want %s", e.reason, Farewell)
	}
}

// What a node says of itself and of its claims is heard, and so are messages.
func TestBeatAndSend(t *testing.T) {
	n := newNetwork(t)
	a, b := run(t, n.host(t, v4, v6), Options{Node: "a", Interval: time.Minute}), run(t, n.host(t, v4, v6), Options{Node: "b", Interval: time.Minute})
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
	digest := election.Digest{Version: 7, Count: 1, Sum: 12345}
	b.Beat(Beacon{Standing: true, Digest: digest})
	a.wait(t, "b to stand", func(e event) bool { return e.what == "joined" && e.peer.Standing })
	a.wait(t, "b's digest", func(e event) bool { return e.what == "heard" && e.digest == digest })
	request := election.Message{Kind: election.Request, Version: 3}
	a.Send(b.ID(), request)
	b.wait(t, "a request", func(e event) bool {
		return e.what == "received" && e.id == a.ID() && e.message.Kind == election.Request
	})
	b.Send(election.ID{}, election.Message{Kind: election.Update, Version: 8})
	a.wait(t, "an update", func(e event) bool { return e.what == "received" && e.id == b.ID() && e.message.Version == 8 })
}

// An interface that is of no use any more ends what was heard on it, at once; one
// that comes back begins it anew.
func TestInterfaces(t *testing.T) {
	n := newNetwork(t)
	host := n.host(t, v4, v6)
	a, b := run(t, host, Options{Node: "a"}), run(t, n.host(t, v4, v6), Options{Node: "b"})
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
	lost := interfaces(t, host.Handle)
	lost[0].Up = false
	a.SetInterfaces(lost)
	if e := a.waitGone(t, "b"); e.reason != Unlinked {
		t.Errorf("b is gone: %s, want %s", e.reason, Unlinked)
	}
	a.forget()
	a.SetInterfaces(interfaces(t, host.Handle))
	a.waitJoined(t, "b")
}

// Where multicast is not carried, members hear each other by unicast.
func TestUnicast(t *testing.T) {
	for name, families := range map[string][]string{v4: {v4}, v6: {v6}} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			pattern := addressPattern(families[0])
			unicast := func(node string, peer int) *station {
				o := fast(node)
				o.Unicast = true
				s := newStation(t, n.host(t, families...), o)
				// Before it starts: one that is asked if it still listens answers before
				// it knows its peers.
				s.SetPeers([]netip.Addr{netip.MustParsePrefix(fmt.Sprintf(pattern, peer)).Addr()})
				s.start(t)
				return s
			}
			a, b := unicast("a", 2), unicast("b", 1)
			a.waitJoined(t, "b")
			b.waitJoined(t, "a")
			b.Send(election.ID{}, election.Message{Kind: election.Update, Version: 8})
			a.wait(t, "an update", func(e event) bool { return e.what == "received" && e.message.Version == 8 })
		})
	}
}

// Two nodes of one name are complained of, and neither is taken for dead.
func TestOneName(t *testing.T) {
	n := newNetwork(t)
	a, b, c := run(t, n.host(t, v4), Options{Node: "a"}), run(t, n.host(t, v4), Options{Node: "b"}), run(t, n.host(t, v4), Options{Node: "b"})
	a.waitJoined(t, "b")
	a.waitJoined(t, "b")
	for _, s := range []*station{a, b, c} {
		l2test.Poll(t, "a complaint by "+s.options.Node, func() bool { return len(s.View().Complaints) > 0 })
	}
	during(t, 300*time.Millisecond)
	a.nobodyGone(t)
}

// A node whose clock went back takes a higher incarnation, and is heard.
func TestClockWentBack(t *testing.T) {
	n := newNetwork(t)
	host := n.host(t, v4)
	a, b := run(t, n.host(t, v4), fast("a")), run(t, host, fast("b"))
	before := a.waitJoined(t, "b").id
	b.stop()
	a.waitGone(t, "b")
	o := fast("b")
	o.Incarnation = before.Incarnation - 1000
	b = run(t, host, o)
	e := a.wait(t, "b with a higher incarnation", func(e event) bool {
		return e.what == "joined" && e.id.Node == "b" && e.id.Incarnation > before.Incarnation
	})
	b.wait(t, "its own", func(told event) bool { return told.what == "renumbered" && told.id == e.id })
	if e.id != b.ID() {
		t.Errorf("b is %v, and thinks that it is %v", e.id, b.ID())
	}
}

// A node whose memory went back, as that of a virtual machine that is resumed from a
// snapshot, is heard, and so are its claims.
func TestMemoryWentBack(t *testing.T) {
	n := newNetwork(t)
	host := n.host(t, v4)
	a, b := run(t, n.host(t, v4), fast("a")), run(t, host, fast("b"))
	before := a.waitJoined(t, "b").id
	b.waitJoined(t, "a")
	update := func(version uint64) {
		b.Send(election.ID{}, election.Message{Kind: election.Update, Version: version})
		a.wait(t, "an update", func(e event) bool { return e.what == "received" && e.message.Version == version })
	}
	for version := range uint64(100) {
		update(version + 1)
	}
	l2test.Poll(t, "many heartbeats", func() bool { return b.sample("herald_heartbeats_sent_total", "") > 2*disorder })
	b.stop()
	a.waitGone(t, "b")
	o := fast("b")
	o.Incarnation = before.Incarnation
	b = run(t, host, o)
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
	update(1000)
}

// A list of 10,000 claims arrives whole, by one send after the other.
func TestBurst(t *testing.T) {
	n := newNetwork(t)
	a, b := run(t, n.host(t, v4), Options{Node: "a"}), run(t, n.host(t, v4), Options{Node: "b"})
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
	const parts = 159
	claims := make([]election.Claim, 63)
	for i := range claims {
		claims[i].Address = netip.MustParseAddr("2001:db8:1::1")
	}
	for part := range uint16(parts) {
		b.Send(a.ID(), election.Message{Kind: election.List, Version: 1, Part: part, Parts: parts, Claims: claims})
	}
	for range parts {
		a.wait(t, "a part", func(e event) bool { return e.what == "received" })
	}
}
