package bgp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
)

func TestMain(m *testing.M) { l2test.Main(m) }

// The router on a link is waited for, and found as soon as the kernel knows of it. IPv4
// routes lead to this node's link-local address.
func TestUnnumbered(t *testing.T) {
	here, there := l2test.Here(t), l2test.NewHost(t)
	for _, h := range []*l2test.Host{here, there} {
		h.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	}
	l2test.Cable(t, here, "later", there, "eth0")
	l2test.Cable(t, here, "unnumbered", there, "eth1")
	router := netip.MustParseAddr("fe80::2")
	there.Address(t, "eth0", "fe80::2/64")
	r := &raw{}
	there.Do(t, func() (err error) {
		r.TCPListener, err = net.ListenTCP("tcp6", &net.TCPAddr{IP: router.AsSlice(), Zone: "eth0"})
		return err
	})
	t.Cleanup(func() { _ = r.Close() })

	p := r.peer(t, route("203.0.113.1/32"), route("2001:db8:1::1/128"))
	p.Address, p.SourceAddress, p.Interface = netip.Addr{}, netip.Addr{}, "unnumbered"
	s := start(t, p)
	if n := s.await(t, "router", "a reason", because("no router was seen")); n.State != Idle {
		t.Errorf("state is %s", n.State)
	}
	// The interface is another one from now on.
	here.Delete(t, "unnumbered")
	here.Down(t, "later")
	must(t, here.LinkSetName(here.Link(t, "later"), "unnumbered"))
	here.Up(t, "unnumbered")
	must(t, here.NeighAdd(&netlink.Neigh{
		LinkIndex: here.Link(t, "unnumbered").Attrs().Index, Family: netlink.FAMILY_V6, State: unix.NUD_REACHABLE, Flags: unix.NTF_ROUTER,
		IP: router.AsSlice(), HardwareAddr: there.Link(t, "eth0").Attrs().HardwareAddr,
	}))
	c := r.accept(t)
	c.write(t, rawOpen(t, routerASN, 90, "10.255.0.2", packet.NewCapMultiProtocol(packet.RF_IPv4_UC), packet.NewCapMultiProtocol(packet.RF_IPv6_UC),
		packet.NewCapFourOctetASNumber(routerASN),
		packet.NewCapExtendedNexthop([]*packet.CapExtendedNexthopTuple{packet.NewCapExtendedNexthopTuple(packet.RF_IPv4_UC, packet.AFI_IP6)})), keepalive())
	if n := s.await(t, "router", "two routes", func(n Session) bool { return n.Advertised == 2 }); n.Address != router.WithZone("unnumbered") {
		t.Errorf("session is %+v", n)
	}
	for seen := 0; seen < 2; {
		u, ok := c.read(t).Body.(*packet.BGPUpdate)
		if !ok {
			continue
		}
		seen++
		if reach := u.PathAttributes[0].(*packet.PathAttributeMpReachNLRI); !reach.Nexthop.IsLinkLocalUnicast() {
			t.Errorf("%v leads to %v", reach.Value, reach.Nexthop)
		}
	}
}

func TestNoSuchInterface(t *testing.T) {
	p := newRaw(t).peer(t)
	p.Address, p.Interface = netip.Addr{}, "absent"
	start(t, p).await(t, "router", "a reason", because("no such interface"))
}

func TestChoose(t *testing.T) {
	neighbor := func(address string, flags int, state int) netlink.Neigh {
		return netlink.Neigh{IP: netip.MustParseAddr(address).AsSlice(), Flags: flags, State: state}
	}
	for _, tt := range []struct {
		name      string
		neighbors []netlink.Neigh
		want      netip.Addr
	}{
		{name: "nobody"},
		{"the one that says it is", []netlink.Neigh{neighbor("fe80::1", 0, unix.NUD_STALE), neighbor("fe80::2", unix.NTF_ROUTER, unix.NUD_STALE)}, netip.MustParseAddr("fe80::2")},
		{"the only one", []netlink.Neigh{neighbor("fe80::1", 0, unix.NUD_STALE), neighbor("2001:db8::1", 0, unix.NUD_STALE)}, netip.MustParseAddr("fe80::1")},
		{name: "one of two", neighbors: []netlink.Neigh{neighbor("fe80::1", 0, unix.NUD_STALE), neighbor("fe80::2", 0, unix.NUD_STALE)}},
		{name: "failed", neighbors: []netlink.Neigh{neighbor("fe80::1", unix.NTF_ROUTER, unix.NUD_FAILED)}},
	} {
		if got, ok := choose(tt.neighbors); got != tt.want || ok != tt.want.IsValid() {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, ok, tt.want)
		}
	}
}

// No right is asked for: not for the password, nor for the TTL, nor to watch neighbors.
func TestNoRights(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t)
	p.Multihop = 64
	err := l2test.Without(unix.CAP_NET_ADMIN, func() error {
		conn, err := dial(t.Context(), p, p.Address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	must(t, err)
	p.Password, p.ConnectTime = "s3cret", time.Second
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, err)
	defer func() { _ = unix.Close(fd) }()
	must(t, l2test.Without(unix.CAP_NET_ADMIN, func() error { return options(fd, p, p.Address) }))
	if ttl, err := unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL); err != nil || ttl != 64 {
		t.Errorf("TTL is %d, %v", ttl, err)
	}
}
