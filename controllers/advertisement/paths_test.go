package advertisement

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bfd/packet"
	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

func TestPathsWatched(t *testing.T) {
	p := newPaths()
	if all, news, _ := p.watch(done{selection: new(selection)}, time.Now()); !news || all == nil || len(all) != 0 {
		t.Errorf("that there are none is news: %v, %v", all, news)
	}
	fast := &config.BFD{Interval: 50 * time.Millisecond, Multiplier: 3}
	d := done{selection: &selection{peers: []config.Peer{
		{Name: "far", Address: addr("192.0.2.254"), SourceAddress: addr("192.0.2.7"), Multihop: 4, BFD: fast},
		{Name: "plain", Address: addr("192.0.2.253")},
		{Name: "unnumbered", Interface: "eth1", BFD: fast},
	}}}
	far := announcer.BFDPeer{Address: addr("192.0.2.254"), Source: addr("192.0.2.7"), Multihop: true, Interval: 50 * time.Millisecond, Multiplier: 3}
	expect := func(want ...announcer.BFDPeer) {
		t.Helper()
		got, news, _ := p.watch(d, time.Now())
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || news != (want != nil) {
			t.Errorf("%v (-want +got):\n%s", news, diff)
		}
	}
	expect(far)
	expect()
	// Its end is on an interface, as kube-vip's bgp_sourceif has it.
	d.selection.peers[0].SourceAddress, d.ends = netip.Addr{}, []end{{source: addr("192.0.2.8")}, {}, {}}
	moved := far
	moved.Source = addr("192.0.2.8")
	expect(moved)
	d.selection.peers[0].SourceAddress, d.ends = far.Source, nil
	expect(far)
	// The router on the link is found, and then lost sight of.
	found := announcer.BFDPeer{Address: addr("fe80::1%eth1"), Interval: 50 * time.Millisecond, Multiplier: 3}
	d.sessions = []bgp.Session{{Peer: "unnumbered", Address: found.Address}}
	expect(far, found)
	d.sessions = []bgp.Session{{Peer: "unnumbered"}}
	expect()
}

// An agent that begins anew does not have the announcer give up BFD with a router on a link
// before it could find it.
func TestPathsOfRoutersNotFoundYet(t *testing.T) {
	fast := &config.BFD{Interval: 50 * time.Millisecond, Multiplier: 3}
	d := done{selection: &selection{peers: []config.Peer{
		{Name: "numbered", Address: addr("192.0.2.254"), BFD: fast},
		{Name: "unnumbered", Interface: "eth1", BFD: fast},
	}}}
	begin := time.Unix(1000, 0)
	at := func(p *paths, after time.Duration, watched int, again time.Duration) {
		t.Helper()
		all, news, left := p.watch(d, begin.Add(after))
		if len(all) != watched || news != (watched > 0) || left != again {
			t.Errorf("after %s: %v, %v, again in %s", after, all, news, left)
		}
	}
	p := newPaths()
	at(p, 0, 0, patience)
	at(p, time.Second, 0, patience-time.Second)
	at(p, patience, 1, 0)

	p = newPaths()
	at(p, 0, 0, patience)
	d.sessions = []bgp.Session{{Peer: "unnumbered", Address: addr("fe80::1%eth1")}}
	at(p, time.Second, 2, 0)
	d.sessions, d.selection.peers[1].Interface = nil, "eth2"
	at(p, 2*time.Second, 1, 0)
}

func TestPathsLost(t *testing.T) {
	router := addr("192.0.2.254")
	fresh := func() *paths {
		p := newPaths()
		p.watch(done{selection: &selection{peers: []config.Peer{{Name: "rtr", Address: router, BFD: &config.BFD{Interval: time.Second, Multiplier: 3}}}}}, time.Now())
		return p
	}
	at := func(state announcer.BFDState, flaps uint64) announcer.BFDStatus {
		return announcer.BFDStatus{Address: router, State: state, Flaps: flaps}
	}
	anew := announcer.BFDStatus{Address: router, State: announcer.BFDDown, Flaps: 1, Diagnostic: packet.NeighborDown.String()}
	for name, test := range map[string]struct {
		seen []announcer.BFDStatus
		want int
	}{
		"never up":                     {[]announcer.BFDStatus{at(announcer.BFDDown, 0), at(announcer.BFDInit, 0)}, 0},
		"comes up":                     {[]announcer.BFDStatus{at(announcer.BFDDown, 0), at(announcer.BFDUp, 0)}, 0},
		"lost":                         {[]announcer.BFDStatus{at(announcer.BFDUp, 0), at(announcer.BFDDown, 1)}, 1},
		"lost once":                    {[]announcer.BFDStatus{at(announcer.BFDUp, 0), at(announcer.BFDDown, 1), at(announcer.BFDInit, 1), at(announcer.BFDUp, 1)}, 1},
		"lost and back between looks":  {[]announcer.BFDStatus{at(announcer.BFDUp, 0), at(announcer.BFDUp, 1)}, 1},
		"back and lost between looks":  {[]announcer.BFDStatus{at(announcer.BFDDown, 1), at(announcer.BFDDown, 2)}, 1},
		"taken down on purpose":        {[]announcer.BFDStatus{at(announcer.BFDUp, 0), at(announcer.BFDAdminDown, 0), at(announcer.BFDDown, 0)}, 0},
		"begun anew by the router":     {[]announcer.BFDStatus{at(announcer.BFDUp, 0), anew, at(announcer.BFDUp, 1)}, 0},
		"down when first heard of":     {[]announcer.BFDStatus{at(announcer.BFDDown, 7)}, 0},
		"of a router not watched":      {[]announcer.BFDStatus{{Address: addr("192.0.2.1"), State: announcer.BFDUp}, {Address: addr("192.0.2.1"), State: announcer.BFDDown}}, 0},
		"an announcer that began anew": {[]announcer.BFDStatus{at(announcer.BFDDown, 3), at(announcer.BFDDown, 0)}, 0},
	} {
		p, lost := fresh(), 0
		for _, s := range test.seen {
			lost += len(p.observe([]announcer.BFDStatus{s}))
		}
		if lost != test.want {
			t.Errorf("%s: lost %d times, want %d", name, lost, test.want)
		}
	}

	// What is watched in another way is not to be compared with what was.
	p := fresh()
	p.observe([]announcer.BFDStatus{at(announcer.BFDUp, 0)})
	p.watch(done{selection: &selection{peers: []config.Peer{{Name: "rtr", Address: router, BFD: &config.BFD{Interval: time.Minute, Multiplier: 3}}}}}, time.Now())
	if lost := p.observe([]announcer.BFDStatus{at(announcer.BFDDown, 0)}); len(lost) > 0 {
		t.Errorf("lost %v by another interval", lost)
	}
}
