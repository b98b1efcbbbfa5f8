package l2test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// Host is a network namespace: a kernel of its own as far as the segment can
// tell.
type Host struct {
	*netlink.Handle
	ns netns.NsHandle
}

// Here returns the host that the test process itself is.
func Here(t testing.TB) *Host {
	t.Helper()
	ns, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	return newHost(t, ns)
}

// NewHost makes another host, with its loopback up. It is gone after the test.
func NewHost(t testing.TB) *Host {
	t.Helper()
	made := make(chan netns.NsHandle)
	go func() {
		// The thread is in the wrong namespace from now on, and ends with the
		// goroutine that holds it.
		runtime.LockOSThread()
		ns, err := netns.New()
		if err != nil {
			t.Errorf("make a network namespace: %v", err)
		}
		made <- ns
	}()
	ns := <-made
	if t.Failed() {
		t.FailNow()
	}
	h := newHost(t, ns)
	h.Up(t, "lo")
	return h
}

func newHost(t testing.TB, ns netns.NsHandle) *Host {
	t.Helper()
	handle, err := netlink.NewHandleAt(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		handle.Close()
		_ = ns.Close()
	})
	return &Host{Handle: handle, ns: ns}
}

// Do calls f on a thread that is in the host's namespace: what f opens belongs
// to the host.
func (h *Host) Do(t testing.TB, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := netns.Set(h.ns); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Sysctl sets a value below /proc/sys, such as net/ipv4/neigh/eth0/locktime.
func (h *Host) Sysctl(t testing.TB, name, value string) {
	t.Helper()
	h.Do(t, func() error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0) })
}

// Link returns an interface by name.
func (h *Host) Link(t testing.TB, name string) netlink.Link {
	t.Helper()
	l, err := h.LinkByName(name)
	if err != nil {
		t.Fatalf("link %s: %v", name, err)
	}
	return l
}

// MAC returns the address of an interface.
func (h *Host) MAC(t testing.TB, name string) frame.MAC {
	t.Helper()
	return frame.MAC(h.Link(t, name).Attrs().HardwareAddr)
}

// Up brings interfaces up.
func (h *Host) Up(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, h.LinkSetUp(h.Link(t, name)))
	}
}

// Down takes an interface down.
func (h *Host) Down(t testing.TB, name string) {
	t.Helper()
	must(t, h.LinkSetDown(h.Link(t, name)))
}

// Delete removes an interface.
func (h *Host) Delete(t testing.TB, name string) {
	t.Helper()
	must(t, h.LinkDel(h.Link(t, name)))
}

// Address gives an interface addresses, such as 192.0.2.1/24, without
// duplicate address detection.
func (h *Host) Address(t testing.TB, name string, addresses ...string) {
	t.Helper()
	for _, a := range addresses {
		must(t, h.AddrAdd(h.Link(t, name), address(a)))
	}
}

// AddressDAD gives an interface an IPv6 address that the kernel first probes
// for.
func (h *Host) AddressDAD(t testing.TB, name, a string) {
	t.Helper()
	probed := address(a)
	probed.Flags = 0
	must(t, h.AddrAdd(h.Link(t, name), probed))
}

// WaitDADFailed waits until the kernel found that another host has an address.
func (h *Host) WaitDADFailed(t testing.TB, addr netip.Addr) {
	t.Helper()
	h.waitAddress(t, fmt.Sprintf("duplicate address detection of %s to fail", addr), func(u *netlink.AddrUpdate) bool {
		a, _ := netip.AddrFromSlice(u.LinkAddress.IP)
		return a == addr && u.Flags&unix.IFA_F_DADFAILED != 0
	})
}

// WaitLinkLocal waits until an interface has an IPv6 link-local address that the kernel
// sends from. Before that it sends to link-local groups from another.
func (h *Host) WaitLinkLocal(t testing.TB, name string) {
	t.Helper()
	index := h.Link(t, name).Attrs().Index
	h.waitAddress(t, "a link-local address on "+name, func(u *netlink.AddrUpdate) bool {
		a, _ := netip.AddrFromSlice(u.LinkAddress.IP)
		return u.NewAddr && u.LinkIndex == index && a.Is6() && a.IsLinkLocalUnicast() && u.Flags&unix.IFA_F_TENTATIVE == 0
	})
}

func (h *Host) waitAddress(t testing.TB, what string, is func(*netlink.AddrUpdate) bool) {
	t.Helper()
	updates, done := make(chan netlink.AddrUpdate), make(chan struct{})
	must(t, netlink.AddrSubscribeWithOptions(updates, done, netlink.AddrSubscribeOptions{Namespace: &h.ns, ListExisting: true}))
	defer func() {
		close(done)
		for range updates { // until the subscription ends
		}
	}()
	timeout := time.After(Patience)
	for {
		select {
		case u := <-updates:
			if is(&u) {
				return
			}
		case <-timeout:
			t.Fatal("waited for " + what)
		}
	}
}

// NoAddress takes an address off an interface.
func (h *Host) NoAddress(t testing.TB, name, a string) {
	t.Helper()
	must(t, h.AddrDel(h.Link(t, name), address(a)))
}

func address(text string) *netlink.Addr {
	p := netip.MustParsePrefix(text)
	bits := p.Addr().BitLen()
	a := &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), bits)}}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

// Cable makes a veth pair: its ends are interfaces of the two hosts, up.
func Cable(t testing.TB, a *Host, nameA string, b *Host, nameB string) {
	t.Helper()
	must(t, a.LinkAdd(&netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: nameA},
		PeerName:      nameB,
		PeerNamespace: netlink.NsFd(b.ns),
	}))
	t.Cleanup(func() {
		// A test may have deleted it.
		if l, err := a.LinkByName(nameA); err == nil {
			must(t, a.LinkDel(l))
		}
	})
	a.Up(t, nameA)
	b.Up(t, nameB)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
