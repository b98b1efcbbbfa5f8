package l2

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// The tests of this file have a real kernel for a neighbour.

// A client's kernel resolves the address, until it is withdrawn.
func TestResolve(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		client.Sysctl(t, "net/ipv4/neigh/eth0/retrans_time_ms", "50")
		client.Sysctl(t, "net/ipv6/neigh/eth0/retrans_time_ms", "50")
		a := run(t, DefaultTiming())
		a.Put(announcer.Announcement{Address: vip})
		if s := a.waitState(t, vip, announcer.Announced); len(s.Interfaces) != 1 || s.Interfaces[0] != "eth0" {
			t.Errorf("announced on %v, want eth0", s.Interfaces)
		}
		client.Talk(t, vip)
		client.WaitNeighbor(t, vip, here.MAC(t, "eth0"), netlink.NUD_REACHABLE)

		// A neighbour that is known is asked by unicast if it is still there.
		client.SetNeighbor(t, "eth0", vip, here.MAC(t, "eth0"), netlink.NUD_PROBE)
		client.WaitNeighbor(t, vip, here.MAC(t, "eth0"), netlink.NUD_REACHABLE)

		a.Delete(vip)
		a.waitState(t, vip, announcer.Withdrawn)
		client.SetNeighbor(t, "eth0", vip, here.MAC(t, "eth0"), netlink.NUD_PROBE)
		client.WaitNeighbor(t, vip, frame.MAC{}, netlink.NUD_FAILED)
	})
}

// A neighbour that has the address elsewhere is corrected when it is taken,
// even one that was told otherwise a moment ago (locktime).
func TestTakeOver(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		client.Sysctl(t, "net/ipv4/neigh/eth0/locktime", "100000")
		client.SetNeighbor(t, "eth0", vip, stranger(), netlink.NUD_REACHABLE)
		client.WaitNeighbor(t, vip, stranger(), netlink.NUD_REACHABLE)
		a := run(t, DefaultTiming())
		a.Put(announcer.Announcement{Address: vip})
		client.WaitNeighbor(t, vip, here.MAC(t, "eth0"), valid)
	})
}

// Only what is announced is answered for, and only where it is on-link.
func TestAnswersOnlyThere(t *testing.T) {
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			here, client := segment(t)
			other := l2test.NewHost(t)
			l2test.Cable(t, here, "eth1", other, "eth0")
			here.Address(t, "eth0", f.here)
			here.Address(t, "eth1", f.pool)
			client.Address(t, "eth0", f.client)
			elsewhere := netip.MustParsePrefix(f.pool).Addr().Next()

			a := run(t, DefaultTiming())
			a.announce(t, f.vip)
			a.announce(t, elsewhere)
			if s := a.waitState(t, elsewhere, announcer.Announced); len(s.Interfaces) != 1 || s.Interfaces[0] != "eth1" {
				t.Errorf("announced on %v, want eth1", s.Interfaces)
			}
			// The questions are answered in their order: if the last has an
			// answer, those before it have none.
			mac, from := client.MAC(t, "eth0"), netip.MustParsePrefix(f.client).Addr()
			tap := tap(t, client, f.vip)
			ask(t, tap, mac, from, elsewhere)
			tap.Send(t, misdirected(question(t, mac, from, f.vip)))
			ask(t, tap, mac, from, f.vip.Next())
			ask(t, tap, mac, from, f.vip)
			us := here.MAC(t, "eth0")
			tap.Wait(t, "the answer", func(b []byte) bool {
				if claims(b, elsewhere, us) || claims(b, f.vip.Next(), us) {
					t.Error("answered for an address that is not announced here")
				}
				return claims(b, f.vip, us)
			})
			if got := a.sample("herald_requests_received_total", ""); got != 1 {
				t.Errorf("%v questions counted, want 1", got)
			}
		})
	}
}

// Who probes for an address that is announced is told; the kernel's own
// duplicate address detection believes it.
func TestProbeIsAnswered(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		a := run(t, DefaultTiming())
		a.announce(t, vip)
		tap := tap(t, client, vip)
		probe, err := speakerOf(vip).Probe(client.MAC(t, "eth0"), vip)
		if err != nil {
			t.Fatal(err)
		}
		tap.Send(t, probe)
		waitClaim(t, tap, vip, here.MAC(t, "eth0"))
	})
	t.Run("duplicate address detection", func(t *testing.T) {
		here, client := segment(t)
		f := families()["IPv6"]
		here.Address(t, "eth0", f.here)
		a := run(t, DefaultTiming())
		a.announce(t, f.vip)
		client.Sysctl(t, "net/ipv6/conf/eth0/accept_dad", "1")
		client.AddressDAD(t, "eth0", f.vip.String()+"/64")
		client.WaitDADFailed(t, f.vip)
	})
}

// What is put again stands, what is deleted is withdrawn.
func TestPutAgain(t *testing.T) {
	eachFamily(t, func(t *testing.T, here, client *l2test.Host, vip netip.Addr) {
		a := run(t, DefaultTiming())
		a.announce(t, vip)
		since := a.waitState(t, vip, announcer.Announced).Since
		a.announce(t, vip.Next())
		a.Put(announcer.Announcement{Address: vip}, announcer.Announcement{Address: vip.Next().Next()})
		a.Delete(vip.Next())
		a.waitState(t, vip.Next(), announcer.Withdrawn)
		a.waitState(t, vip.Next().Next(), announcer.Announced)
		if s := a.waitState(t, vip, announcer.Announced); s.Since != since {
			t.Error("an address that stood was announced anew")
		}
		client.Talk(t, vip.Next().Next())
		client.WaitNeighbor(t, vip.Next().Next(), here.MAC(t, "eth0"), netlink.NUD_REACHABLE)
	})
}

// misdirected sends a frame to another station's MAC: it arrives, as with an
// interface in promiscuous mode, and is not for us.
func misdirected(b []byte) []byte {
	to := stranger()
	copy(b, to[:])
	return b
}

// Garbage is counted, and harms nobody.
func TestMalformed(t *testing.T) {
	set := func(offset int, values ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[offset:], values); return b }
	}
	spoil := map[string]map[string]func([]byte) []byte{
		"IPv4": {
			"truncated":        func(b []byte) []byte { return b[:30] },
			"bad_link_address": set(22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		},
		"IPv6": {
			"truncated":     set(18, 0xff, 0xff),
			"bad_hop_limit": set(21, 64),
			"bad_code":      set(55, 1),
			"bad_checksum":  set(56, 0xff, 0xff),
		},
	}
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			here, client := segment(t)
			here.Address(t, "eth0", f.here)
			client.Address(t, "eth0", f.client)
			a := run(t, DefaultTiming())
			a.announce(t, f.vip)
			tap, mac, from := tap(t, client, f.vip), client.MAC(t, "eth0"), netip.MustParsePrefix(f.client).Addr()
			for _, spoil := range spoil[name] {
				tap.Send(t, spoil(question(t, mac, from, f.vip)))
			}
			ask(t, tap, mac, from, f.vip)
			tap.Wait(t, "the answer", func(b []byte) bool { return claims(b, f.vip, here.MAC(t, "eth0")) && frame.MAC(b) == mac })
			for reason := range spoil[name] {
				if got := a.sample("herald_drops_total", reason); got != 1 {
					t.Errorf("%v drops for %s, want 1", got, reason)
				}
			}
			// An answer is counted right after it is out.
			for deadline := time.Now().Add(10 * time.Second); a.sample("herald_replies_sent_total", "") == 0 && time.Now().Before(deadline); {
				runtime.Gosched()
			}
			if got := a.sample("herald_replies_sent_total", ""); got != 1 {
				t.Errorf("%v replies, want 1", got)
			}
		})
	}
}
