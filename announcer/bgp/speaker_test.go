package bgp

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/osrg/gobgp/v4/pkg/apiutil"
	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"

	"github.com/heraldlb/herald/config/bgp"
)

// started is a speaker that runs, until stop or the end of the test.
type started struct {
	*Speaker
	changes chan struct{}
	stop    func()
}

func start(t testing.TB, peers ...Peer) *started {
	t.Helper()
	s := &started{changes: make(chan struct{}, 1)}
	s.Speaker = New(logger(t), func() { signal(s.changes) })
	s.Drain = 10 * time.Millisecond
	s.Set(peers)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	s.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			must(t, <-done)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// await waits until the session with a peer satisfies a condition, and returns it.
func (s *started) await(t testing.TB, peer, what string, holds func(Session) bool) Session {
	t.Helper()
	var found Session
	await(t, s.changes, what, func() (bool, any) {
		sessions := s.Sessions()
		i := slices.IndexFunc(sessions, func(n Session) bool { return n.Peer == peer })
		if i < 0 {
			return false, sessions
		}
		found = sessions[i]
		return holds(found), found
	})
	return found
}

func up(n Session) bool { return n.State == Established }

func because(words string) func(Session) bool {
	return func(n Session) bool { return strings.Contains(n.Reason, words) }
}

// peer is a router as this node has it configured.
func peer(r *gobgp, at, from netip.Addr, routes ...Route) Peer {
	return Peer{
		Name: "router", LocalASN: nodeASN, RouterID: netip.MustParseAddr("10.255.0.1"), Address: at, SourceAddress: from,
		ASN: routerASN, Port: r.port, HoldTime: 90 * time.Second, KeepaliveTime: 30 * time.Second, ConnectTime: 50 * time.Millisecond,
		NextHops: NextHops{V4: netip.MustParseAddr("192.0.2.1"), V6: netip.MustParseAddr("2001:db8::1")}, Routes: routes,
	}
}

func route(prefix string) Route { return Route{Prefix: netip.MustParsePrefix(prefix)} }

func has(prefixes ...string) func(map[netip.Prefix]*apiutil.Path) bool {
	return func(table map[netip.Prefix]*apiutil.Path) bool {
		for _, p := range prefixes {
			if table[netip.MustParsePrefix(p)] == nil {
				return false
			}
		}
		return len(table) == len(prefixes)
	}
}

func TestRoutesOfBothFamiliesWithTheirAttributes(t *testing.T) {
	for _, tt := range []struct {
		name       string
		at, from   netip.Addr
		hop4, hop6 string
		localASN   uint32
		path       string
		localPref  *uint32
	}{
		{name: "over IPv4", at: router4, from: node, hop4: "127.0.4.1", hop6: "2001:db8::1", localASN: nodeASN, path: "4200000001 4200000001 4200000001"},
		{name: "over IPv6", at: router6, from: nodeV6, hop4: "192.0.2.1", hop6: "::1", localASN: nodeASN, path: "4200000001 4200000001 4200000001"},
		{name: "internal", at: router4, from: node, hop4: "127.0.4.1", hop6: "2001:db8::1", localASN: routerASN, path: "", localPref: new(uint32(300))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t, tt.at, tt.from, neighbor{asn: tt.localASN, families: both})
			a := bgp.Attributes{
				Communities: []uint32{65010<<16 | 7}, LargeCommunities: []bgp.LargeCommunity{{Global: 4200000001, Local1: 2, Local2: 3}},
				LocalPreference: new(uint32(300)), MED: new(uint32(50)), Prepend: 2,
			}
			p := peer(r, tt.at, tt.from, Route{Prefix: netip.MustParsePrefix("203.0.113.1/32"), Attributes: a}, Route{Prefix: netip.MustParsePrefix("2001:db8:1::/64"), Attributes: a})
			p.LocalASN = tt.localASN
			s := start(t, p)
			n := s.await(t, "router", "a session that advertises two", func(n Session) bool { return n.Advertised == 2 })
			r.await(t, "two routes", has("203.0.113.1/32", "2001:db8:1::/64"))
			if n.Updates != 2 || n.Withheld != 0 || n.Reason != "" || n.Address != tt.at {
				t.Errorf("session is %+v", n)
			}
			for prefix, hop := range map[string]string{"203.0.113.1/32": tt.hop4, "2001:db8:1::/64": tt.hop6} {
				got := r.path(t, prefix)
				want := map[packet.BGPAttrType]string{
					packet.BGP_ATTR_TYPE_ORIGIN: "{Origin: i}", packet.BGP_ATTR_TYPE_MULTI_EXIT_DISC: "{Med: 50}",
					packet.BGP_ATTR_TYPE_COMMUNITIES: "{Communities: 65010:7}", packet.BGP_ATTR_TYPE_LARGE_COMMUNITY: "{LargeCommunity: [ 4200000001:2:3]}",
				}
				for kind, text := range want {
					if got[kind] == nil || got[kind].String() != text {
						t.Errorf("%s: attribute %v is %v, want %s", prefix, kind, got[kind], text)
					}
				}
				if path := got[packet.BGP_ATTR_TYPE_AS_PATH].(*packet.PathAttributeAsPath); packet.AsPathString(path) != tt.path {
					t.Errorf("%s: AS path is %q, want %q", prefix, packet.AsPathString(path), tt.path)
				}
				if (got[packet.BGP_ATTR_TYPE_LOCAL_PREF] != nil) != (tt.localPref != nil) {
					t.Errorf("%s: local preference is %v", prefix, got[packet.BGP_ATTR_TYPE_LOCAL_PREF])
				}
				if got := nextHopOf(got); got != hop {
					t.Errorf("%s: next hop is %s, want %s", prefix, got, hop)
				}
			}
		})
	}
}

func nextHopOf(attributes map[packet.BGPAttrType]packet.PathAttributeInterface) string {
	if reach, ok := attributes[packet.BGP_ATTR_TYPE_MP_REACH_NLRI].(*packet.PathAttributeMpReachNLRI); ok {
		return reach.Nexthop.String()
	}
	return attributes[packet.BGP_ATTR_TYPE_NEXT_HOP].(*packet.PathAttributeNextHop).Value.String()
}

func TestDifferencesAreTold(t *testing.T) {
	r := newRouter(t, router4, node, neighbor{asn: nodeASN, families: both})
	p := peer(r, router4, node, route("203.0.113.1/32"), route("203.0.113.2/32"), route("2001:db8:1::1/128"))
	s := start(t, p)
	r.await(t, "three routes", has("203.0.113.1/32", "203.0.113.2/32", "2001:db8:1::1/128"))
	before := s.await(t, "router", "three", func(n Session) bool { return n.Advertised == 3 })

	p.Routes = []Route{route("203.0.113.2/32"), route("203.0.113.3/32")}
	s.Set([]Peer{p})
	r.await(t, "two routes", has("203.0.113.2/32", "203.0.113.3/32"))
	after := s.await(t, "router", "two", func(n Session) bool { return n.Advertised == 2 })
	// Withdrawn in each family, one announced, and nothing of what stays.
	if after.Updates-before.Updates != 3 || after.Since != before.Since {
		t.Errorf("%d UPDATEs for the change, session %+v", after.Updates-before.Updates, after)
	}

	p.Routes = []Route{route("203.0.113.2/32"), {Prefix: netip.MustParsePrefix("203.0.113.3/32"), Attributes: bgp.Attributes{MED: new(uint32(9))}}}
	s.Set([]Peer{p})
	s.await(t, "router", "another UPDATE", func(n Session) bool { return n.Updates == after.Updates+1 })
	r.await(t, "another MED", func(table map[netip.Prefix]*apiutil.Path) bool {
		return slices.ContainsFunc(table[netip.MustParsePrefix("203.0.113.3/32")].Attrs, func(a packet.PathAttributeInterface) bool { return a.String() == "{Med: 9}" })
	})
}

// Where routes lead is told anew on the session that there is: a node whose addresses
// change for a moment loses nothing else by it.
func TestOtherNextHopsAreTold(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t, route("203.0.113.1/32"), route("2001:db8:1::1/128"))
	s := start(t, p)
	c := raw.accept(t)
	c.establish(t)
	// An UPDATE and an End-of-RIB marker (RFC 4724 section 2) of each family; those are counted a moment later.
	before := s.await(t, "router", "two routes", func(n Session) bool { return n.Advertised == 2 && n.Updates == 4 })

	p.NextHops.V6 = netip.MustParseAddr("2001:db8::2")
	s.Set([]Peer{p})
	for told := false; !told; {
		u, ok := c.read(t).Body.(*packet.BGPUpdate)
		if !ok || len(u.PathAttributes) == 0 {
			continue
		}
		if reach, ok := u.PathAttributes[0].(*packet.PathAttributeMpReachNLRI); ok {
			told = reach.Nexthop == p.NextHops.V6
		}
	}
	p.NextHops.V6 = netip.Addr{}
	s.Set([]Peer{p})
	after := s.await(t, "router", "one route", func(n Session) bool { return n.Advertised == 1 && n.Withheld6 == 1 })
	if after.Since != before.Since || after.Updates != before.Updates+2 {
		t.Errorf("session is %+v, was %+v", after, before)
	}
}

func TestWithheldIsSaid(t *testing.T) {
	r := newRouter(t, router4, node, neighbor{asn: nodeASN, families: v4Only})
	p := peer(r, router4, node, route("203.0.113.1/32"), route("2001:db8:1::1/128"))
	s := start(t, p)
	got := s.await(t, "router", "one withheld", func(n Session) bool { return n.Advertised == 1 && n.Withheld == 1 })
	if got.Why != "the router takes no IPv6 routes on this session" {
		t.Errorf("why: %q", got.Why)
	}
}

func TestThePeerThatChangesIsResetAndNoOther(t *testing.T) {
	r := newRouter(t, router4, node, neighbor{asn: nodeASN, families: both})
	other := newRaw(t)
	p, q := peer(r, router4, node, route("203.0.113.1/32")), other.peer(t)
	q.Name = "other"
	s := start(t, p, q)
	c := other.accept(t)
	c.establish(t)
	s.await(t, "router", "a session", up)
	before := s.await(t, "other", "a session", up)

	p.HoldTime, p.KeepaliveTime = 60*time.Second, 20*time.Second
	s.Set([]Peer{p, q})
	s.await(t, "router", "a new session", func(n Session) bool { return n.State == Established && n.Since.After(before.Since) })
	if after := s.await(t, "other", "a session", up); after.Since != before.Since || after.Flaps != 0 {
		t.Errorf("the other's session is %+v, was %+v", after, before)
	}

	// A peer that is not desired any more.
	s.Set([]Peer{p})
	if got := c.notification(t); got.String() != "Cease, Peer De-configured" {
		t.Errorf("the peer that is gone was told %s", got)
	}
	await(t, s.changes, "one session", func() (bool, any) { return len(s.Sessions()) == 1, s.Sessions() })
}

// A router has one session at a time with this node, whatever its name was before, and
// also where it is a peer again while its last session still ends.
func TestOneSessionAtATime(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t, route("203.0.113.1/32"))
	s := start(t)
	s.Drain = time.Second
	s.Set([]Peer{p})
	next := func(before *rawConn, farewell string) *rawConn {
		t.Helper()
		c := raw.accept(t)
		must(t, before.SetDeadline(time.Now().Add(s.Drain/2)))
		if got := before.notification(t); got.String() != farewell {
			t.Errorf("the router was told %s", got)
		}
		c.establish(t)
		s.await(t, p.Name, "a route", func(n Session) bool { return n.Advertised == 1 })
		return c
	}
	c := raw.accept(t)
	c.establish(t)
	s.await(t, p.Name, "a route", func(n Session) bool { return n.Advertised == 1 })

	p.Name = "renamed"
	s.Set([]Peer{p})
	c = next(c, "Cease, Other Configuration Change")

	s.Set(nil)
	await(t, s.changes, "no session", func() (bool, any) { return len(s.Sessions()) == 0, s.Sessions() })
	s.Set([]Peer{p})
	next(c, "Cease, Peer De-configured")
}

// A router that asks for all again is told, each family by itself.
func TestAllAgain(t *testing.T) {
	raw := newRaw(t)
	s := start(t, raw.peer(t, route("203.0.113.1/32"), route("2001:db8:1::1/128")))
	c := raw.accept(t)
	c.establish(t)
	s.await(t, "router", "two routes", func(n Session) bool { return n.Advertised == 2 })
	c.write(t, refresh(t, packet.RF_IPv6_UC))
	for told := 0; told < 2; {
		u, ok := c.read(t).Body.(*packet.BGPUpdate)
		if !ok || len(u.PathAttributes) == 0 {
			continue
		}
		if reach, ok := u.PathAttributes[0].(*packet.PathAttributeMpReachNLRI); ok && len(reach.Value) == 1 {
			told++
		}
	}
}

// A router that asks without end, and takes nothing, is heard to the end; else neither
// would get on.
func TestAllAgainWithoutEnd(t *testing.T) {
	raw := newRaw(t)
	routes := make([]Route, 0, 10_000)
	for i := range 10_000 {
		routes = append(routes, Route{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)})
	}
	start(t, raw.peer(t, routes...))
	c := raw.accept(t)
	c.establish(t)
	flood := bytes.Repeat(refresh(t, packet.RF_IPv4_UC), 1<<14)
	for range 30 {
		c.write(t, flood)
	}
}

func refresh(t *testing.T, family packet.Family) []byte {
	b, err := packet.NewBGPRouteRefreshMessage(family.Afi(), 0, family.Safi()).Serialize()
	must(t, err)
	return b
}

func TestResetClosesAtOnce(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t)
	p.ConnectTime = time.Hour
	s := start(t, p)
	c := raw.accept(t)
	c.establish(t)
	s.await(t, "router", "a session", up)
	s.Reset("nobody", "")
	s.Reset("router", "BFD: Control Detection Time Expired")
	if got := c.notification(t); got.String() != "Cease, BFD Down" {
		t.Errorf("the router was told %s", got)
	}
	n := s.await(t, "router", "no session", func(n Session) bool { return n.State == Active })
	if n.Reason != "NOTIFICATION sent: Cease, BFD Down: BFD: Control Detection Time Expired" || n.Flaps != 1 {
		t.Errorf("session is %+v", n)
	}
}

func TestAnEndWithdrawsWaitsAndSaysSo(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t, route("203.0.113.1/32"), route("2001:db8:1::1/128"))
	s := start(t, p)
	c := raw.accept(t)
	c.establish(t)
	s.await(t, "router", "two routes", func(n Session) bool { return n.Advertised == 2 })
	go s.stop()
	var withdrawn []string
	for {
		m := c.read(t)
		if m.Header.Type == packet.BGP_MSG_NOTIFICATION {
			n := m.Body.(*packet.BGPNotification)
			if got := (notification{code: n.ErrorCode, subcode: n.ErrorSubcode}).String(); got != "Cease, Administrative Shutdown" {
				t.Errorf("the router was told %s", got)
			}
			break
		}
		if u, ok := m.Body.(*packet.BGPUpdate); ok {
			for _, w := range u.WithdrawnRoutes {
				withdrawn = append(withdrawn, w.NLRI.String())
			}
			for _, a := range u.PathAttributes {
				if un, ok := a.(*packet.PathAttributeMpUnreachNLRI); ok {
					for _, w := range un.Value {
						withdrawn = append(withdrawn, w.NLRI.String())
					}
				}
			}
		}
	}
	if diff := cmp.Diff([]string{"203.0.113.1/32", "2001:db8:1::1/128"}, withdrawn); diff != "" {
		t.Error("withdrawn (-want +got):\n", diff)
	}
}

func TestAPassword(t *testing.T) {
	for _, tt := range []struct {
		name, ours string
		want       func(Session) bool
	}{
		{"the same", "s3cret", up},
		{"another", "wrong", because("connection timed out: wrong password or filtered")},
		{"none", "", because("connection timed out: filtered, or the router is down, or it wants a password")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t, router4, node, neighbor{asn: nodeASN, families: both, password: "s3cret"})
			p := peer(r, router4, node)
			p.Password = tt.ours
			start(t, p).await(t, "router", "the outcome", tt.want)
		})
	}
}

// A router sweeps what it kept of a former process when it reads the End-of-RIB (RFC
// 4724): all that is known is told before.
func TestTheEndOfRIBComesLast(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t, route("203.0.113.1/32"), route("2001:db8:1::1/128"))
	p.GracefulRestart = 30 * time.Second
	start(t, p)
	c := raw.accept(t)
	c.establish(t)
	var got []string
	for len(got) < 4 {
		u, ok := c.read(t).Body.(*packet.BGPUpdate)
		if !ok {
			continue
		}
		end, family := u.IsEndOfRib()
		switch {
		case end:
			got = append(got, "end of "+family.String())
		case len(u.NLRI) > 0:
			got = append(got, u.NLRI[0].NLRI.String())
		default:
			got = append(got, u.PathAttributes[0].(*packet.PathAttributeMpReachNLRI).Value[0].NLRI.String())
		}
	}
	want := []string{"203.0.113.1/32", "2001:db8:1::1/128", "end of ipv4-unicast", "end of ipv6-unicast"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("told (-want +got):\n", diff)
	}
}

func BenchmarkTenThousandRoutes(b *testing.B) {
	r := newRouter(b, router4, node, neighbor{asn: nodeASN, families: both})
	p := peer(r, router4, node)
	s := start(b, p)
	s.await(b, "router", "a session", up)
	routes := make([]Route, 0, 10_000)
	for i := range 10_000 {
		routes = append(routes, Route{
			Prefix:     netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32),
			Attributes: bgp.Attributes{Communities: []uint32{1, 2}},
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Routes = routes
		s.Set([]Peer{p})
		r.await(b, "all routes", func(table map[netip.Prefix]*apiutil.Path) bool { return len(table) == len(routes) })
		p.Routes = nil
		s.Set([]Peer{p})
		r.await(b, "no routes", func(table map[netip.Prefix]*apiutil.Path) bool { return len(table) == 0 })
	}
}

func ExampleSession() {
	fmt.Println(refuse(packet.BGP_ERROR_OPEN_MESSAGE_ERROR, packet.BGP_ERROR_SUB_BAD_PEER_AS, nil, "expected 65001, the router's is 65002"))
	// Output: NOTIFICATION sent: OPEN Message Error, Bad Peer AS: expected 65001, the router's is 65002
}
