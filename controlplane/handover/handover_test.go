package handover

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/controlplane/address"
)

func TestMain(m *testing.M) { l2test.Main(m) }

// known are the states in which a kernel uses an entry of its neighbour table.
const known = netlink.NUD_REACHABLE | netlink.NUD_STALE | netlink.NUD_DELAY | netlink.NUD_PROBE

// segment is one with a client, and two nodes.
func segment(t *testing.T) (client, before, after *l2test.Host) {
	t.Helper()
	sw := l2test.Here(t)
	if err := sw.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sw.Delete(t, "br0") })
	sw.Up(t, "br0")
	var hosts []*l2test.Host
	for _, of := range []struct{ port, v4, v6 string }{
		{"client", "192.0.2.99/24", "2001:db8::99/64"}, {"before", "192.0.2.1/24", "2001:db8::1/64"}, {"after", "192.0.2.2/24", "2001:db8::2/64"},
	} {
		h := l2test.NewHost(t)
		h.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
		l2test.Cable(t, sw, of.port, h, "eth0")
		if err := sw.LinkSetMaster(sw.Link(t, of.port), sw.Link(t, "br0")); err != nil {
			t.Fatal(err)
		}
		h.Address(t, "eth0", of.v4, of.v6)
		hosts = append(hosts, h)
	}
	return hosts[0], hosts[1], hosts[2]
}

func eachFamily(t *testing.T, test func(t *testing.T, vip, before netip.Addr)) {
	for name, of := range map[string][2]string{"IPv4": {"192.0.2.10", "192.0.2.1"}, "IPv6": {"2001:db8::10", "2001:db8::1"}} {
		t.Run(name, func(t *testing.T) { test(t, netip.MustParseAddr(of[0]), netip.MustParseAddr(of[1])) })
	}
}

// put has a host have an address.
func put(t *testing.T, h *l2test.Host, addr netip.Addr, on string) {
	t.Helper()
	index := h.Link(t, on).Attrs().Index
	h.Do(t, func() error {
		err := address.Set(index, addr, time.Minute)
		address.Await(index, addr)
		return err
	})
}

// What a connection carries that began at the node before is passed on to it, for a while;
// one that begins now is the next node's.
func TestPass(t *testing.T) {
	eachFamily(t, func(t *testing.T, vip, from netip.Addr) {
		client, before, after := segment(t)
		put(t, before, vip, "eth0")
		old, oldServer := l2test.Connect(t, before, client, vip)
		installed := time.Now()
		after.Do(t, func() error { return Pass(vip, from, after.Link(t, "eth0").Attrs().Index) })
		put(t, after, vip, "eth0")
		put(t, before, vip, "lo")
		before.NoAddress(t, "eth0", netip.PrefixFrom(vip, vip.BitLen()).String())
		client.SetNeighbor(t, "eth0", vip, after.MAC(t, "eth0"), netlink.NUD_PERMANENT)
		l2test.Exchange(t, old, oldServer)
		fresh, freshServer := l2test.Connect(t, after, client, vip)
		l2test.Exchange(t, old, oldServer)
		l2test.Exchange(t, fresh, freshServer)
		if took := time.Since(installed); took > passing {
			t.Fatalf("the test was too slow: it took %s", took)
		}
		// Then it ends by itself.
		l2test.Poll(t, "the old connection to be reset", func() bool {
			_, err := old.Write([]byte{1})
			return err != nil
		})
		if took := time.Since(installed); took < passing {
			t.Errorf("it ended after %s, want %s", took, passing)
		}
		l2test.Exchange(t, fresh, freshServer)
		for i, want := range []bool{true, false} {
			after.Do(t, func() error {
				was, err := Sweep()
				if was != want {
					t.Errorf("sweep %d: something was there: %v", i, was)
				}
				return err
			})
		}
	})
}

// Who is quiet does not answer for the VIP on lo, until that ends by itself.
func TestQuiet(t *testing.T) {
	client, before, _ := segment(t)
	vip := netip.MustParseAddr("192.0.2.10")
	const long = 300 * time.Millisecond
	before.Do(t, func() error { return Quiet(vip, long) })
	put(t, before, vip, "lo")
	start := time.Now()
	client.Talk(t, vip)
	client.WaitNeighbor(t, vip, before.MAC(t, "eth0"), known)
	if took := time.Since(start); took < long {
		t.Errorf("answered after %s", took)
	}
	before.Do(t, func() error { return Unquiet(vip) })
}

// Who is quiet does not ask by the VIP either: whoever is asked would take it for the
// VIP's host.
func TestQuietQuestion(t *testing.T) {
	client, before, _ := segment(t)
	vip, at := netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.99")
	put(t, before, vip, "eth0")
	_, server := l2test.Connect(t, before, client, vip)
	tap := client.Tap(t, "eth0", unix.ETH_P_ARP)
	const long = 300 * time.Millisecond
	before.Do(t, func() error { return Quiet(vip, long) })
	start := time.Now()
	before.SetNeighbor(t, "eth0", at, client.MAC(t, "eth0"), netlink.NUD_STALE)
	if err := before.NeighDel(&netlink.Neigh{LinkIndex: before.Link(t, "eth0").Attrs().Index, IP: at.AsSlice()}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	const ethernet = 14
	tap.Wait(t, "a question by the VIP", func(frame []byte) bool {
		return len(frame) >= ethernet+arpSender+4 && bytes.Equal(frame[ethernet+arpSender:][:4], vip.AsSlice())
	})
	if took := time.Since(start); took < long {
		t.Errorf("it asked after %s", took)
	}
}

// By NDP, nobody is answered for an address of lo.
func TestQuietV6(t *testing.T) {
	client, before, _ := segment(t)
	client.Sysctl(t, "net/ipv6/neigh/eth0/retrans_time_ms", "50")
	vip := netip.MustParseAddr("2001:db8::10")
	before.Do(t, func() error { return Quiet(vip, time.Minute) })
	put(t, before, vip, "lo")
	client.Talk(t, vip)
	client.WaitNeighbor(t, vip, before.MAC(t, "eth0"), netlink.NUD_FAILED)
}

// Connections from and to the VIP are closed, at both ends where both are here, and no
// others; a socket that listens stays.
func TestClose(t *testing.T) {
	eachFamily(t, func(t *testing.T, vip, own netip.Addr) {
		client, before, _ := segment(t)
		put(t, before, vip, "eth0")
		var listener net.Listener
		before.Do(t, func() (err error) {
			listener, err = new(net.ListenConfig).Listen(context.WithoutCancel(t.Context()), "tcp", netip.AddrPortFrom(vip, 6443).String())
			return err
		})
		defer func() { _ = listener.Close() }()
		remote, _ := l2test.Connect(t, before, client, vip)
		local, localServer := l2test.Connect(t, before, before, vip)
		other, otherServer := l2test.Connect(t, before, client, own)
		closeAll := func(sides Sides, want int) {
			t.Helper()
			before.Do(t, func() error {
				closed, err := Close(vip, sides, time.Time{})
				if closed != want {
					t.Errorf("%d were closed, want %d", closed, want)
				}
				return err
			})
		}
		before.Do(t, func() error {
			closed, err := Close(vip, Both, time.Now())
			if closed != 0 {
				t.Errorf("%d were closed in no time", closed)
			}
			return err
		})
		closeAll(Both, 2) // the second end of the local one ends with the first
		closeAll(Both, 0)
		l2test.Closed(t, remote)
		l2test.Closed(t, local)
		l2test.Closed(t, localServer)
		l2test.Exchange(t, other, otherServer)
		// One that another address of this host has to the VIP is left, if that is elsewhere.
		away, _ := l2test.Connect(t, before, client, vip)
		client.Do(t, func() error {
			closed, err := Close(vip, Local, time.Time{})
			if closed != 0 {
				t.Errorf("%d were closed, want none", closed)
			}
			return err
		})
		closeAll(Local, 1)
		l2test.Closed(t, away)
	})
}
