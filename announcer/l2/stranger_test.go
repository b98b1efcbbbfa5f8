package l2

import (
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// The tests of this file have others use the address that is announced.

// hostPrefix is an address as a host has it on the segment.
func hostPrefix(addr netip.Addr) string {
	if addr.Is4() {
		return addr.String() + "/24"
	}
	return addr.String() + "/64"
}

// A stranger's kernel has the address: it is not announced until that is over.
func TestConflict(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		client.Address(t, "eth0", hostPrefix(vip))
		a := run(t, quick())
		a.Put(announcer.Announcement{Address: vip, Probe: true})
		s := a.waitState(t, vip, announcer.Conflict)
		if frame.MAC(s.Stranger) != client.MAC(t, "eth0") {
			t.Errorf("the stranger is %s, want %s", s.Stranger, client.MAC(t, "eth0"))
		}
		if got := a.sample("herald_gratuitous_sent_total", ""); got != 0 {
			t.Errorf("%v announcements of an address that another has", got)
		}
		if got := a.sample("herald_conflicts_total", ""); got == 0 {
			t.Error("no conflict was counted")
		}
		tap := tap(t, client, vip)
		client.NoAddress(t, "eth0", hostPrefix(vip))
		a.waitState(t, vip, announcer.Announced)
		waitClaim(t, tap, vip, here.MAC(t, "eth0"))
		client.Talk(t, vip)
		client.WaitNeighbor(t, vip, here.MAC(t, "eth0"), netlink.NUD_REACHABLE)
	})
}

// A stranger who does not answer duplicate address detection is found all the same, from a
// link-local address that came late, too.
func TestSilentStranger(t *testing.T) {
	here, client := segment(t)
	f := families()["IPv6"]
	here.Address(t, "eth0", "2001:db8:2::1/64")
	tap := tap(t, client, f.vip)
	mac := client.MAC(t, "eth0")
	timing := quick()
	timing.ProbeWait = 10 * time.Second // the answer is in time
	a := run(t, timing)
	other := netip.MustParseAddr("2001:db8:2::10")
	a.Put(announcer.Announcement{Address: other})
	a.waitState(t, other, announcer.Announced)
	a.Put(announcer.Announcement{Address: f.vip, Probe: true})
	here.Address(t, "eth0", "fe80::7/64", f.here) // in this order
	tap.Wait(t, "a question", func(b []byte) bool {
		var m frame.Message
		asked := frame.NDP{}.Parse(b, &m) == frame.None && m.Asks == f.vip && m.Uses == netip.MustParseAddr("fe80::7")
		if asked {
			answer := make([]byte, frame.MaxReply)
			tap.Send(t, answer[:frame.NDP{}.Reply(answer, mac, &m)])
		}
		return asked
	})
	if s := a.waitState(t, f.vip, announcer.Conflict); frame.MAC(s.Stranger) != mac {
		t.Errorf("the stranger is %s, want %s", s.Stranger, mac)
	}
}

// Nobody answers the probes: the address is announced after them, and a client
// that asked meanwhile has its answer.
func TestProbeThenAnnounce(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		timing := quick()
		timing.ProbeInterval, timing.ProbeWait = 200*time.Millisecond, 200*time.Millisecond
		tap := tap(t, client, vip)
		a := run(t, timing)
		a.Put(announcer.Announcement{Address: vip, Probe: true})
		a.waitState(t, vip, announcer.Probing)
		client.Talk(t, vip)
		for range timing.Probes {
			tap.Wait(t, "a probe", func(b []byte) bool {
				var m frame.Message
				return speakerOf(vip).Parse(b, &m) == frame.None && m.Asks == vip && m.From == here.MAC(t, "eth0")
			})
		}
		client.WaitNeighbor(t, vip, here.MAC(t, "eth0"), valid)
	})
}

// Another station probes for an address while we do: both leave it.
func TestProbeRace(t *testing.T) {
	eachFamily(t, func(t *testing.T, _, client *l2test.Host, vip netip.Addr) {
		tap := tap(t, client, vip)
		timing := quick()
		timing.Probes = 100 // so that it takes long enough
		a := run(t, timing)
		a.Put(announcer.Announcement{Address: vip, Probe: true})
		a.waitState(t, vip, announcer.Probing)
		probe, err := speakerOf(vip).Probe(stranger(), vip)
		if err != nil {
			t.Fatal(err)
		}
		tap.Send(t, probe)
		if s := a.waitState(t, vip, announcer.Conflict); frame.MAC(s.Stranger) != stranger() {
			t.Errorf("the stranger is %s, want %s", s.Stranger, stranger())
		}
	})
}

// A stranger goes on saying that an address is its own which is announced
// here: that is reported, and after a second look the address is defended.
func TestDefence(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		timing := quick()
		timing.Repeats = nil
		a := run(t, timing)
		tap := tap(t, client, vip)
		a.announce(t, vip)
		waitClaim(t, tap, vip, here.MAC(t, "eth0"))
		claim, err := speakerOf(vip).Announcement(stranger(), vip)
		if err != nil {
			t.Fatal(err)
		}
		var s announcer.Status
		l2test.Poll(t, "a status with a stranger", func() bool {
			tap.Send(t, claim)
			s = a.status(vip)
			return s.Stranger != nil
		})
		if frame.MAC(s.Stranger) != stranger() || s.State != announcer.Announced {
			t.Errorf("%+v, want Announced with stranger %s", s, stranger())
		}
		waitClaim(t, tap, vip, here.MAC(t, "eth0"))
	})
}
