package seat

import (
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/controlplane"
)

// By lo, VIPs are announced nowhere, and whom a route leads here reaches them, whether
// this node knows its link-layer address or not. They leave nothing behind.
func TestLoopback(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64")
	here.Up(t, "lo")
	both := vips("203.0.113.10", "2001:db8:1::10")
	f := start(t, here, other, Options{Loopback: true}, both...)
	f.waitPlaced("203.0.113.10 on lo")
	f.Hold(controlplane.Term{})
	for _, vip := range both {
		l2test.Poll(t, vip.String()+" on lo", func() bool { return has(t, vip, "lo") })
		if has(t, vip, "eth0") {
			t.Errorf("%s is on eth0", vip)
		}
	}
	var clients []net.Conn
	for vip, gateway := range map[netip.Addr]string{both[0]: "192.0.2.1", both[1]: "2001:db8::1"} {
		err := other.RouteReplace(&netlink.Route{
			LinkIndex: other.Link(t, "eth0").Attrs().Index, Gw: netip.MustParseAddr(gateway).AsSlice(),
			Dst: &net.IPNet{IP: vip.AsSlice(), Mask: net.CIDRMask(vip.BitLen(), vip.BitLen())},
		})
		if err != nil {
			t.Fatal(err)
		}
		// To answer, this node has to ask who the other is.
		here.Forget(t, "eth0")
		client, _ := l2test.Connect(t, here, other, vip)
		clients = append(clients, client)
		if vip == both[0] {
			addresses, err := here.AddrList(here.Link(t, "lo"), netlink.FAMILY_V4)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range addresses {
				if a.IP.Equal(vip.AsSlice()) && a.Scope != unix.RT_SCOPE_HOST {
					t.Errorf("its scope is %d", a.Scope)
				}
			}
		}
	}
	f.Release()
	if err := f.Vacant(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, vip := range both {
		if has(t, vip, "lo") {
			t.Errorf("%s is still on lo", vip)
		}
	}
	for _, client := range clients {
		l2test.Closed(t, client)
	}
}

// One that hosts on a link take for a neighbour's is told of.
func TestLoopbackOnLink(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24")
	f := start(t, here, other, Options{Loopback: true}, netip.MustParseAddr("192.0.2.10"))
	f.Hold(controlplane.Term{})
	f.waitFor("the VIP is in a subnet of a link", "192.0.2.10", "interface=eth0")
}
