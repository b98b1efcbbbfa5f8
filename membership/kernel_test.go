package membership

import (
	"testing"
	"time"

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
