package nodesocket

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer"
)

// Facts come whole, before the snapshot, once, and again to an announcer that
// restarts.
func TestFactsGoDown(t *testing.T) {
	facts := announcer.Facts{Cluster: "0b2b", Nodes: 3, Rebalance: "1"}
	for i := range MaxPeers {
		facts.Peers = append(facts.Peers, netip.AddrFrom16([16]byte{0x20, 1, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}))
	}
	facts.BFD, facts.Unnumbered = routers(MaxBFD), interfaces(MaxUnnumbered)
	path, wire := socketPath(t), newRecorder()
	_, stop := startServer(t, path, Backend{Sink: wire})
	client, _ := startClient(t, path, newWatcher())
	tell := func(f announcer.Facts) {
		t.Helper()
		if err := client.Facts(f); err != nil {
			t.Fatal(err)
		}
	}
	told := func(r *recorder, want ...announcer.Facts) {
		t.Helper()
		r.await(t, "the facts", func(w wireLog) bool { return cmp.Equal(want, w.facts, compareAddrs) })
	}
	tell(facts)
	client.Synced()
	wire.await(t, "the snapshot", func(w wireLog) bool { return w.replaces == 1 })
	told(wire, facts)
	tell(facts)
	less := facts
	less.CutOff, less.Peers, less.BFD, less.Unnumbered = true, nil, []announcer.BFDPeer{}, nil
	tell(less)
	told(wire, facts, less)
	unknown := less
	unknown.BFD, unknown.Unnumbered = nil, []string{}
	tell(unknown)
	told(wire, facts, less, unknown)
	tell(less)
	told(wire, facts, less, unknown, less)
	stop()

	after := newRecorder()
	startServer(t, path, Backend{Sink: after})
	told(after, less)
}

// A view is told at every beat, and before the next one if it changed.
func TestViewComesUp(t *testing.T) {
	var view atomic.Pointer[announcer.View]
	view.Store(&announcer.View{Node: "a", Members: repeat(announcer.Member{Node: "b"}, 1000)})
	path := socketPath(t)
	server, _ := startServer(t, path, Backend{Sink: discard{}, View: func() announcer.View { return *view.Load() }})
	seen := newWatcher()
	startClient(t, path, seen)
	seen.await(t, "the view", func(s seenLog) bool { return len(s.view.Members) == 1000 })
	view.Store(&announcer.View{Node: "a", Alone: true})
	server.ViewChanged()
	seen.await(t, "the change", func(s seenLog) bool { return s.view.Alone && s.view.Members == nil })

	// Of a view that is too large, as much is told as may be.
	all := announcer.View{Members: repeat(announcer.Member{Node: "b"}, 1000)}
	for _, p := range routers(MaxBFD + 1) {
		all.BFD = append(all.BFD, announcer.BFDStatus{Address: p.Address, State: announcer.BFDDown, Diagnostic: strings.Repeat("<", 1000)})
	}
	view.Store(&all)
	server.ViewChanged()
	seen.await(t, "BFD sessions", func(s seenLog) bool { return len(s.view.Members) == 1000 && len(s.view.BFD) == MaxBFD })
}

// What an agent says of an address is told again when any of it changed.
func TestCandidacyChanges(t *testing.T) {
	path, wire := socketPath(t), newRecorder()
	startServer(t, path, Backend{Sink: wire})
	client, _ := startClient(t, path, newWatcher())
	candidacy := candidacies(1)[0]
	put(t, client, candidacy)
	client.Synced()
	wire.awaitAnnounced(t, candidacy)
	for _, change := range []func(*announcer.Candidacy){
		func(c *announcer.Candidacy) { c.Eligible = false },
		func(c *announcer.Candidacy) { c.Hosts = []string{} },
		func(c *announcer.Candidacy) { c.Hosts = []string{"a", "b"} },
		func(c *announcer.Candidacy) { c.Hosts = []string{"a"} },
		func(c *announcer.Candidacy) { c.Hosts = nil },
		func(c *announcer.Candidacy) { c.Interface = "" },
	} {
		change(&candidacy)
		put(t, client, candidacy)
		wire.awaitAnnounced(t, candidacy)
	}
}
