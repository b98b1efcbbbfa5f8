package bgp

import (
	"net/netip"
	"testing"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"

	"github.com/heraldlb/herald/config/bgp"
)

func TestNextHop(t *testing.T) {
	v4, v6, local := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::1")
	all := router{v4: true, v6: true, extended: true}
	plain := router{v4: true, v6: true}
	for _, tt := range []struct {
		name   string
		prefix string
		local  netip.Addr
		known  NextHops
		router router
		want   netip.Addr
		why    string
	}{
		{name: "IPv4 over IPv4", prefix: "203.0.113.1/32", local: v4, router: plain, want: v4},
		{name: "IPv4 over IPv6", prefix: "203.0.113.1/32", local: v6, known: NextHops{V4: v4}, router: all, want: v4},
		{name: "IPv4 over IPv6, no IPv4 address", prefix: "203.0.113.1/32", local: v6, router: all, want: v6},
		{name: "IPv4 over IPv6, no way", prefix: "203.0.113.1/32", local: v6, router: plain, why: "this node has no IPv4 address, and the router takes no IPv6 next hop for IPv4 routes (RFC 8950)"},
		{name: "IPv4, unnumbered", prefix: "203.0.113.1/32", local: local, known: NextHops{V4: v4}, router: all, want: local},
		{name: "IPv4, unnumbered, without RFC 8950", prefix: "203.0.113.1/32", local: local, known: NextHops{V4: v4}, router: plain, want: v4},
		{name: "IPv4, not taken", prefix: "203.0.113.1/32", local: v4, router: router{v6: true}, why: "the router takes no IPv4 routes on this session"},
		{name: "IPv6 over IPv6", prefix: "2001:db8:1::1/128", local: v6, router: plain, want: v6},
		{name: "IPv6 over IPv4", prefix: "2001:db8:1::1/128", local: v4, known: NextHops{V6: v6}, router: plain, want: v6},
		{name: "IPv6, no IPv6 address", prefix: "2001:db8:1::1/128", local: v4, router: plain, why: "this node has no IPv6 address"},
		{name: "IPv6, not taken", prefix: "2001:db8:1::1/128", local: v6, router: router{v4: true}, why: "the router takes no IPv6 routes on this session"},
	} {
		got, why := nextHop(netip.MustParsePrefix(tt.prefix), tt.local, tt.known, tt.router)
		if got != tt.want || why != tt.why {
			t.Errorf("%s: %v, %q; want %v, %q", tt.name, got, why, tt.want, tt.why)
		}
	}
}

// A router of two octets is told the real path beside the one it can read.
func TestTwoOctets(t *testing.T) {
	attributes := asPath(4200000001, false, false, 1)
	if len(attributes) != 2 || packet.AsPathString(attributes[0].(*packet.PathAttributeAsPath)) != "23456 23456" || attributes[1].GetType() != packet.BGP_ATTR_TYPE_AS4_PATH {
		t.Errorf("attributes are %v", attributes)
	}
	if attributes := asPath(65001, false, false, 0); len(attributes) != 1 {
		t.Errorf("attributes are %v", attributes)
	}
	// 256 numbers do not fit into a segment.
	if params := asPath(65001, false, true, 255)[0].(*packet.PathAttributeAsPath).Value; len(params) != 2 {
		t.Errorf("%d segments", len(params))
	}
}

// many are routes of both families, with the attributes that take most room.
func many(n int) []Route {
	a := bgp.Attributes{}
	for i := range 100 {
		a.Communities = append(a.Communities, uint32(i))
		a.LargeCommunities = append(a.LargeCommunities, bgp.LargeCommunity{Global: uint32(i)})
	}
	routes := make([]Route, 0, n)
	for i := range n / 2 {
		v6 := netip.MustParseAddr("2001:db8::").As16()
		v6[14], v6[15] = byte(i>>8), byte(i)
		routes = append(routes,
			Route{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32), Attributes: a},
			Route{Prefix: netip.PrefixFrom(netip.AddrFrom16(v6), 128), Attributes: a})
	}
	return routes
}

func outTo(r router) *ribOut {
	return newRIBOut(Peer{LocalASN: nodeASN, ASN: routerASN}, r, netip.MustParseAddr("192.0.2.1"))
}

// hops are this node's.
func hops() NextHops { return NextHops{V6: netip.MustParseAddr("2001:db8::1")} }

// Whatever is told, and however much of it, a message has at most 4096 bytes, and none
// is missing.
func TestMessagesHaveRoom(t *testing.T) {
	routes := many(10_000)
	o := outTo(router{v4: true, v6: true, wide: true})
	for _, step := range []struct {
		what   string
		routes []Route
		want   func(*packet.BGPUpdate) int
	}{
		{"announce", routes, func(u *packet.BGPUpdate) int {
			n := len(u.NLRI)
			if reach, ok := u.PathAttributes[0].(*packet.PathAttributeMpReachNLRI); ok {
				n += len(reach.Value)
			}
			return n
		}},
		{"withdraw", nil, func(u *packet.BGPUpdate) int {
			n := len(u.WithdrawnRoutes)
			for _, a := range u.PathAttributes {
				n += len(a.(*packet.PathAttributeMpUnreachNLRI).Value)
			}
			return n
		}},
	} {
		messages, out, err := o.update(step.routes, hops())
		must(t, err)
		total := 0
		for _, m := range messages {
			if len(m) > packet.BGP_MAX_MESSAGE_LENGTH {
				t.Errorf("%s: a message of %d bytes", step.what, len(m))
			}
			parsed, err := packet.ParseBGPMessage(m)
			must(t, err)
			total += step.want(parsed.Body.(*packet.BGPUpdate))
		}
		if total != len(routes) || out.advertised != len(step.routes) {
			t.Errorf("%s: %d routes in %d messages, %+v", step.what, total, len(messages), out)
		}
	}
	if messages, _, err := o.update(nil, hops()); err != nil || len(messages) != 0 {
		t.Errorf("nothing changed, and %d messages, %v", len(messages), err)
	}
}

// As many communities as bgp.yaml takes leave room for a route, beside all else there is.
func TestCommunitiesLeaveRoom(t *testing.T) {
	a := bgp.Attributes{MED: new(uint32(1)), Prepend: 32}
	for i := range 900 {
		a.Communities = append(a.Communities, uint32(i))
	}
	o := outTo(router{v4: true, v6: true})
	messages, _, err := o.update([]Route{
		{Prefix: netip.MustParsePrefix("203.0.113.1/32"), Attributes: a}, {Prefix: netip.MustParsePrefix("2001:db8::1/128"), Attributes: a},
	}, hops())
	if err != nil || len(messages) != 2 {
		t.Errorf("%d messages, %v", len(messages), err)
	}
}

// One route of ten thousand changes.
func BenchmarkUpdateOneOfTenThousand(b *testing.B) {
	routes := many(10_000)
	o := outTo(router{v4: true, v6: true, wide: true})
	if _, _, err := o.update(routes, hops()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		routes[0].Attributes.Prepend = uint8(i % 2)
		if _, _, err := o.update(routes, hops()); err != nil {
			b.Fatal(err)
		}
	}
}

// All of them are new.
func BenchmarkUpdateTenThousand(b *testing.B) {
	routes := many(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := outTo(router{v4: true, v6: true, wide: true}).update(routes, hops()); err != nil {
			b.Fatal(err)
		}
	}
}
