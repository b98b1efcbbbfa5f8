package l2

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// The tests of this file do to interfaces what happens to interfaces.

// waitMember waits for the report that makes a switch that snoops MLD send
// solicitations for an address this way.
func waitMember(t *testing.T, tap *l2test.Tap, addr netip.Addr) {
	t.Helper()
	if addr.Is4() {
		return
	}
	group := frame.SolicitedNode(addr).As16()
	tap.Wait(t, "an MLD report for "+addr.String(), func(b []byte) bool {
		const icmpType, report = 62, 143
		return len(b) > icmpType && b[icmpType] == report && bytes.Contains(b, group[:])
	})
}

// The carrier is lost and found: everything is told again, and answered.
func TestCarrierFlap(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		here.Sysctl(t, "net/ipv6/conf/eth0/keep_addr_on_down", "1")
		first := tap(t, client, vip)
		a := run(t, DefaultTiming())
		a.Put(announcer.Announcement{Address: vip})
		waitMember(t, first, vip)
		waitClaim(t, tap(t, client, vip), vip, here.MAC(t, "eth0"))

		client.Down(t, "eth0")
		a.waitState(t, vip, announcer.OffLink)
		second, third := tap(t, client, vip), tap(t, client, vip)
		client.Up(t, "eth0")
		a.waitState(t, vip, announcer.Announced)
		waitMember(t, second, vip)
		waitClaim(t, third, vip, here.MAC(t, "eth0"))
		ask(t, third, client.MAC(t, "eth0"), clientAddress(vip), vip)
		waitReply(t, third, vip, here.MAC(t, "eth0"), client.MAC(t, "eth0"))
	})
}

// The interface is taken down and brought up. The kernel drops its IPv6
// addresses meanwhile.
func TestAdminFlap(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		a := run(t, DefaultTiming())
		a.announce(t, vip)
		here.Down(t, "eth0")
		a.waitState(t, vip, announcer.OffLink)
		tap := tap(t, client, vip)
		here.Up(t, "eth0")
		if vip.Is6() {
			here.Address(t, "eth0", families()["IPv6"].here)
		}
		a.waitState(t, vip, announcer.Announced)
		waitClaim(t, tap, vip, here.MAC(t, "eth0"))
	})
}

// The interface is deleted, and another of the same name takes its place.
func TestRecreate(t *testing.T) {
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			here, client := segment(t)
			here.Address(t, "eth0", f.here)
			a := run(t, DefaultTiming())
			a.announce(t, f.vip)
			here.Delete(t, "eth0")
			a.waitState(t, f.vip, announcer.OffLink)
			l2test.Cable(t, here, "eth0", client, "eth0")
			client.Address(t, "eth0", f.client)
			here.Address(t, "eth0", f.here)
			a.waitState(t, f.vip, announcer.Announced)
			client.Talk(t, f.vip)
			client.WaitNeighbor(t, f.vip, here.MAC(t, "eth0"), netlink.NUD_REACHABLE)
		})
	}
}

// The interface gets another MAC: neighbours that know the old one are told.
func TestNewMAC(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		a := run(t, DefaultTiming())
		a.announce(t, vip)
		client.Talk(t, vip)
		client.WaitNeighbor(t, vip, here.MAC(t, "eth0"), netlink.NUD_REACHABLE)
		mac := frame.MAC{2, 0, 0, 0, 0, 0x77}
		if err := here.LinkSetHardwareAddr(here.Link(t, "eth0"), mac[:]); err != nil {
			t.Fatal(err)
		}
		client.WaitNeighbor(t, vip, mac, valid)
	})
}

// The prefix comes after the announcement, and goes before its end.
func TestPrefixLater(t *testing.T) {
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			here, client := segment(t)
			client.Address(t, "eth0", f.client)
			a := run(t, DefaultTiming())
			a.Put(announcer.Announcement{Address: f.vip})
			a.waitState(t, f.vip, announcer.OffLink)
			// A host route is not a prefix.
			alone := netip.PrefixFrom(f.vip.Next(), f.vip.BitLen()).String()
			here.Address(t, "eth0", alone, f.here)
			a.waitState(t, f.vip, announcer.Announced)
			client.Talk(t, f.vip)
			client.WaitNeighbor(t, f.vip, here.MAC(t, "eth0"), netlink.NUD_REACHABLE)
			here.NoAddress(t, "eth0", f.here)
			a.waitState(t, f.vip, announcer.OffLink)
		})
	}
}

// A named interface needs no prefix, but has to be there by that name.
func TestNamedInterface(t *testing.T) {
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			here, client := segment(t)
			client.Address(t, "eth0", f.client)
			a := run(t, DefaultTiming())
			a.Put(announcer.Announcement{Address: f.vip, Interface: "lan0"})
			a.waitState(t, f.vip, announcer.OffLink)
			if err := here.LinkSetName(here.Link(t, "eth0"), "lan0"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { here.Delete(t, "lan0") })
			a.waitState(t, f.vip, announcer.Announced)
			client.Talk(t, f.vip)
			client.WaitNeighbor(t, f.vip, here.MAC(t, "lan0"), netlink.NUD_REACHABLE)
		})
	}
}

// On a switch that snoops MLD, and asks in either version of it, solicitations
// arrive; those to groups without members do not.
func TestSnoopingSwitch(t *testing.T) {
	for _, version := range []uint8{1, 2} {
		t.Run(fmt.Sprintf("version %d", version), func(t *testing.T) { testSnoopingSwitch(t, version) })
	}
}

func testSnoopingSwitch(t *testing.T, version uint8) {
	here, client, sw := l2test.Here(t), l2test.NewHost(t), l2test.NewHost(t)
	client.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	l2test.Cable(t, here, "eth0", sw, "port1")
	l2test.Cable(t, client, "eth0", sw, "port2")
	sw.SnoopingBridge(t, "br0", version, "port1", "port2")
	f := families()["IPv6"]
	here.Address(t, "eth0", f.here)
	client.Address(t, "eth0", f.client)
	tap, arrivals := client.Tap(t, "eth0", 0x86dd), here.Tap(t, "eth0", 0x86dd)
	us, mac := here.MAC(t, "eth0"), client.MAC(t, "eth0")
	from := clientAddress(f.vip)

	// Of a question to a group without members and a broadcast after it, only
	// the second arrives.
	snoops := func() bool {
		ask(t, tap, mac, from, f.vip.Next())
		tap.Send(t, broadcast(solicitation(t, mac, from, f.vip)))
		flooded := false
		arrivals.Wait(t, "the broadcast", func(b []byte) bool {
			flooded = flooded || asks(b, f.vip.Next())
			return asks(b, f.vip)
		})
		return !flooded
	}
	l2test.Poll(t, "the switch to snoop", snoops)

	a := run(t, DefaultTiming())
	a.announce(t, f.vip)
	sw.WaitMember(t, frame.SolicitedNode(f.vip))
	ask(t, tap, mac, from, f.vip)
	waitReply(t, tap, f.vip, us, mac)

	// The port flaps: the switch has forgotten, and is told again.
	sw.Down(t, "port1")
	a.waitState(t, f.vip, announcer.OffLink)
	sw.Up(t, "port1")
	sw.WaitMember(t, frame.SolicitedNode(f.vip))
	ask(t, tap, mac, from, f.vip)
	waitReply(t, tap, f.vip, us, mac)
	if !snoops() {
		t.Error("the switch does not snoop any more: the test tested nothing")
	}
}

// asks reports whether a frame asks for an IPv6 address.
func asks(b []byte, addr netip.Addr) bool {
	var m frame.Message
	return frame.NDP{}.Parse(b, &m) == frame.None && m.Asks == addr
}
