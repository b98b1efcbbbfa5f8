package seat

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/address"
)

// An interface that is not there is waited for, and that is said.
func TestInterfaceLate(t *testing.T) {
	here, other := hosts(t)
	both := vips("192.0.2.10", "2001:db8::10")
	f := start(t, here, other, Options{Interface: "eth0"}, both...)
	f.Hold(controlplane.Term{})
	f.waitFor("no place for the VIP, waiting", "192.0.2.10", "no Ethernet interface of that name", "interface=eth0")
	f.waitPlaced("192.0.2.10 on ")
	cable(t, here, other)
	f.waitHas(both...)
	f.waitPlaced("192.0.2.10 on eth0")
}

// So is one that goes down, or away; the VIPs are back with it.
func TestInterfaceDown(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64")
	both := vips("192.0.2.10", "2001:db8::10")
	f := start(t, here, other, Options{}, both...)
	f.Hold(controlplane.Term{})
	f.waitHas(both...)
	here.Down(t, "eth0")
	f.waitFor("the VIP's interface is down, waiting", "192.0.2.10", "interface=eth0")
	f.waitPlaced("192.0.2.10 on ") // so that another node is elected, whichever way it is heard of
	here.Up(t, "eth0")
	here.Address(t, "eth0", "2001:db8::1/64") // which the kernel took off
	f.waitHas(both...)
	f.waitPlaced("192.0.2.10 on eth0")
	here.Delete(t, "eth0")
	f.waitFor("no place for the VIP, waiting", "192.0.2.10", "no interface has a subnet that holds it")
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64")
	f.waitHas(both...)
}

// A VIP outside every subnet is on the interface that is named, or on that of the default
// route, and what that means is said; without either, it waits.
func TestOutside(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24")
	vip := netip.MustParseAddr("203.0.113.10")
	f := start(t, here, other, Options{}, vip)
	f.Hold(controlplane.Term{})
	f.waitFor("no place for the VIP, waiting", vip.String(), "no interface has a subnet that holds it, and there is no default route: name one")
	route := &netlink.Route{LinkIndex: here.Link(t, "eth0").Attrs().Index, Gw: netip.MustParseAddr("192.0.2.99").AsSlice()}
	if err := here.RouteAdd(route); err != nil {
		t.Fatal(err)
	}
	f.waitFor("the VIP is outside every subnet of its interface", vip.String(), "interface=eth0")
	l2test.Poll(t, "the VIP on eth0", func() bool { return has(t, vip, "eth0") })
	f.stop()
	if err := here.RouteDel(route); err != nil {
		t.Fatal(err)
	}
	f = start(t, here, other, Options{Interface: "eth0"}, vip)
	f.Hold(controlplane.Term{})
	f.waitFor("the VIP is outside every subnet of its interface", vip.String(), "interface=eth0")
	l2test.Poll(t, "the VIP on eth0", func() bool { return has(t, vip, "eth0") })
}

// Another host that has the VIP is named by its link-layer address; the VIP is taken when
// that host gives it up.
func TestStranger(t *testing.T) {
	for _, text := range []string{"192.0.2.10", "2001:db8::10"} {
		t.Run(text, func(t *testing.T) {
			vip := netip.MustParseAddr(text)
			here, other := hosts(t)
			cable(t, here, other)
			here.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64")
			prefix := netip.PrefixFrom(vip, vip.BitLen()).String()
			other.Address(t, "eth0", prefix)
			f := start(t, here, other, Options{}, vip)
			f.Hold(controlplane.Term{Probe: true})
			f.waitFor("another host uses the VIP", text, "stranger="+other.MAC(t, "eth0").String())
			if has(t, vip, "eth0") {
				t.Error("the VIP was taken")
			}
			other.NoAddress(t, "eth0", prefix)
			f.waitHas(vip)
			for _, s := range f.Samples() {
				if s.Metric == "herald_controlplane_vip_conflicts_total" && s.Value < 1 {
					t.Errorf("%v conflicts were counted", s.Value)
				}
			}
		})
	}
}

// A VIP that the kernel takes for a duplicate, and does not use, is put there anew.
func TestDuplicate(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Sysctl(t, "net/ipv6/conf/eth0/accept_dad", "1")
	here.Sysctl(t, "net/ipv6/conf/eth0/router_solicitation_delay", "0") // that of the first probe is as long
	here.Address(t, "eth0", "2001:db8::1/64")
	vip := netip.MustParseAddr("2001:db8::10")
	f := start(t, here, other, Options{}, vip)
	f.Hold(controlplane.Term{})
	f.waitHas(vip)
	// As an administrator's script might, which adds the address once more.
	other.Address(t, "eth0", "2001:db8::10/128")
	failed := &netlink.Addr{IPNet: netlink.NewIPNet(vip.AsSlice())}
	on := here.Link(t, "eth0")
	l2test.Poll(t, "the seat to find it", func() bool {
		_ = here.AddrDel(on, failed)
		_ = here.AddrAdd(on, failed) // The seat may be quicker.
		return f.says("the kernel takes the VIP for a duplicate", vip.String())
	})
	l2test.Poll(t, "the VIP to be usable", func() bool { return has(t, vip, "eth0") })
}

// A VIP that is an address of the node is left as it is, not held, and this node does not
// stand for election as long as it is so.
func TestOwn(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.10/24")
	vip := netip.MustParseAddr("192.0.2.10")
	f := start(t, here, other, Options{}, vip)
	f.waitFor("the VIP is an address of this node itself", "192.0.2.10/24", "interface=eth0")
	f.waitPlaced("192.0.2.10 on ")
	f.Hold(controlplane.Term{})
	f.Release()
	if err := f.Vacant(t.Context()); err != nil {
		t.Error(err)
	}
	if !has(t, vip, "eth0") {
		t.Error("the node's own address is gone")
	}
	here.NoAddress(t, "eth0", "192.0.2.10/24")
	here.Address(t, "eth0", "192.0.2.1/24")
	f.waitPlaced("192.0.2.10 on eth0")
	f.Hold(controlplane.Term{})
	f.waitHas(vip)
}

// Of two VIPs, one may have no place: the seat is known by the first, and is where the
// other belongs.
func TestOneWithoutPlace(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "2001:db8::1/64")
	both := vips("192.0.2.10", "2001:db8::10")
	f := start(t, here, other, Options{}, both...)
	f.waitFor("no place for the VIP, waiting", "192.0.2.10")
	f.waitPlaced("192.0.2.10 on eth0")
	f.Hold(controlplane.Term{})
	f.waitHas(both[1])
	if got := f.Held(); !slices.Equal(got, both[1:]) {
		t.Errorf("held %v", got)
	}
	here.Address(t, "eth0", "192.0.2.1/24")
	f.waitHas(both...)
}

// What another run left is taken off at first, and all at the end.
func TestNothingLeft(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24")
	left, vip := netip.MustParseAddr("192.0.2.20"), netip.MustParseAddr("192.0.2.10")
	if err := address.Set(here.Link(t, "eth0").Attrs().Index, left, time.Hour); err != nil {
		t.Fatal(err)
	}
	f := start(t, here, other, Options{}, vip)
	f.waitFor("a VIP of an earlier run was still there", left.String(), "interface=eth0")
	if has(t, left, "eth0") {
		t.Error("what was left is still there")
	}
	f.Hold(controlplane.Term{})
	f.waitHas(vip)
	f.stop()
	if has(t, vip, "eth0") {
		t.Error("the VIP is still there at the end")
	}
}

// A term ends by the clock; a VIP that somebody takes off is put back; another that the
// name comes to stand for takes its place.
func TestTerm(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24")
	both := vips("192.0.2.10", "192.0.2.11")
	f := start(t, here, other, Options{}, both[0])
	now, err := announcer.Now()
	if err != nil {
		t.Fatal(err)
	}
	end := now.Add(time.Hour)
	f.Hold(controlplane.Term{Until: end})
	f.waitHas(both[0])
	here.NoAddress(t, "eth0", "192.0.2.10/32")
	f.waitHas(both[0])
	f.SetVIPs(both[1:])
	f.waitHas(both[1])
	if has(t, both[0], "eth0") {
		t.Error("the VIP of before is still there")
	}
	if now, err = announcer.Now(); err != nil {
		t.Fatal(err)
	}
	end = now.Add(200 * time.Millisecond)
	f.Hold(controlplane.Term{Until: end})
	f.waitFor("the term ended and no other came")
	if err := f.Vacant(t.Context()); err != nil {
		t.Error(err)
	}
	if now, _ := announcer.Now(); now < end {
		t.Errorf("the VIP was given up %s before the end", end.Sub(now))
	}
	if has(t, both[1], "eth0") {
		t.Error("the VIP is there after the end")
	}
}

// A node whose kernel does not put the VIP on the interface says why, announces nothing,
// leaves it to others, and stands again after a while.
func TestRefused(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Sysctl(t, "net/ipv6/conf/eth0/disable_ipv6", "1")
	vip := netip.MustParseAddr("2001:db8::10")
	f := start(t, here, other, Options{Interface: "eth0"}, vip)
	f.waitPlaced("2001:db8::10 on eth0")
	f.Hold(controlplane.Term{})
	f.waitFor("the VIP cannot be held", vip.String(), "IPv6 is disabled")
	f.waitPlaced("2001:db8::10 on ")
	f.Release()
	if err := f.Vacant(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.says("state=Announced") {
		t.Error("it was announced")
	}
	here.Sysctl(t, "net/ipv6/conf/eth0/disable_ipv6", "0")
	f.waitPlaced("2001:db8::10 on eth0")
	f.Hold(controlplane.Term{})
	f.waitHas(vip)
}

// Who may not change addresses is told what is missing.
func TestNoRights(t *testing.T) {
	s := New(Options{}, vips("192.0.2.10"), nil, slog.New(slog.DiscardHandler))
	err := l2test.Without(unix.CAP_NET_ADMIN, func() error { return s.Run(t.Context(), nil) })
	if !errors.Is(err, address.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("error %v", err)
	}
}

// A VIP that was given up lingers where nobody is led to: its connections go on for that
// long, and are closed then.
func TestLinger(t *testing.T) {
	for _, text := range []string{"192.0.2.10", "2001:db8::10"} {
		t.Run(text, func(t *testing.T) {
			vip := netip.MustParseAddr(text)
			here, other := hosts(t)
			cable(t, here, other)
			here.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64")
			f := start(t, here, other, Options{Linger: 500 * time.Millisecond}, vip)
			f.Hold(controlplane.Term{})
			f.waitHas(vip)
			client, server := l2test.Connect(t, here, other, vip)
			f.Release()
			l2test.Poll(t, "the VIP to leave eth0", func() bool { return !has(t, vip, "eth0") })
			if !has(t, vip, "lo") {
				t.Fatal("the VIP does not linger")
			}
			l2test.Poll(t, "nothing to be held", func() bool { return len(f.Held()) == 0 })
			l2test.Exchange(t, client, server)
			if err := f.Vacant(t.Context()); err != nil {
				t.Fatal(err)
			}
			if has(t, vip, "lo") {
				t.Error("the VIP still lingers")
			}
			l2test.Closed(t, client)
			f.mu.Lock()
			defer f.mu.Unlock()
			want := [][]netip.Addr{{vip}, {}}
			if !slices.EqualFunc(f.held, want, slices.Equal) {
				t.Errorf("told of %v, want %v", f.held, want)
			}
		})
	}
}

// Without that, connections are closed when the VIP is given up.
func TestClosed(t *testing.T) {
	here, other := hosts(t)
	cable(t, here, other)
	here.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64")
	both := vips("192.0.2.10", "2001:db8::10")
	f := start(t, here, other, Options{}, both...)
	f.Hold(controlplane.Term{})
	f.waitHas(both...)
	for _, vip := range both {
		f.Hold(controlplane.Term{})
		f.waitHas(vip)
		remote, _ := l2test.Connect(t, here, other, vip)
		local, _ := l2test.Connect(t, here, here, vip)
		f.Release()
		if err := f.Vacant(t.Context()); err != nil {
			t.Fatal(err)
		}
		l2test.Closed(t, remote)
		l2test.Closed(t, local)
	}
}
