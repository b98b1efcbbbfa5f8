package l2test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// Talk sends a datagram to addr, so that the host's kernel has to resolve it.
func (h *Host) Talk(t testing.TB, addr netip.Addr) {
	t.Helper()
	h.Do(t, func() error {
		const discard = 9
		conn, err := new(net.Dialer).DialContext(context.WithoutCancel(t.Context()), "udp", netip.AddrPortFrom(addr, discard).String())
		if err != nil {
			return err
		}
		_, err = conn.Write([]byte("hello"))
		_ = conn.Close()
		return err
	})
}

// SetNeighbor puts an entry in the host's neighbour table; state is one of
// netlink's NUD_ constants.
func (h *Host) SetNeighbor(t testing.TB, name string, addr netip.Addr, mac frame.MAC, state int) {
	t.Helper()
	must(t, h.NeighSet(&netlink.Neigh{
		LinkIndex: h.Link(t, name).Attrs().Index, State: state, IP: addr.AsSlice(), HardwareAddr: mac[:],
	}))
}

// WaitNeighbor waits until the host's kernel says that an address is at mac,
// in one of the states (netlink's NUD_ constants, combined).
func (h *Host) WaitNeighbor(t testing.TB, addr netip.Addr, mac frame.MAC, states int) {
	t.Helper()
	var last *netlink.Neigh
	found := h.neighbors(t, func(n *netlink.Neigh) bool {
		if a, _ := netip.AddrFromSlice(n.IP); a.Unmap() != addr {
			return false
		}
		last = n
		return n.State&states != 0 && (len(n.HardwareAddr) == 0 || frame.MAC(n.HardwareAddr) == mac)
	})
	if !found {
		t.Fatalf("waited for %s at %s in state %#x; the kernel last said: %s", addr, mac, states, describe(last))
	}
}

// neighbors shows the table and its changes to is, until that is content.
func (h *Host) neighbors(t testing.TB, is func(*netlink.Neigh) bool) bool {
	t.Helper()
	updates, done := make(chan netlink.NeighUpdate), make(chan struct{})
	must(t, netlink.NeighSubscribeWithOptions(updates, done, netlink.NeighSubscribeOptions{Namespace: &h.ns, ListExisting: true}))
	defer func() {
		close(done)
		for range updates { // until the subscription ends
		}
	}()
	timeout := time.After(Patience)
	for {
		select {
		case u, ok := <-updates:
			if !ok {
				t.Error("the kernel ended the subscription to neighbours")
				return false
			}
			if is(&u.Neigh) {
				return true
			}
		case <-timeout:
			return false
		}
	}
}

func describe(n *netlink.Neigh) string {
	if n == nil {
		return "nothing"
	}
	return fmt.Sprintf("at %s in state %#x", n.HardwareAddr, n.State)
}

// Forget empties the host's neighbour table of an interface.
func (h *Host) Forget(t testing.TB, name string) {
	t.Helper()
	known, err := h.NeighList(h.Link(t, name).Attrs().Index, netlink.FAMILY_ALL)
	must(t, err)
	for _, n := range known {
		if n.State&netlink.NUD_NOARP == 0 {
			must(t, h.NeighDel(&n))
		}
	}
}
