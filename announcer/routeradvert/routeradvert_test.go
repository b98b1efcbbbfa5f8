package routeradvert

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
)

func TestMain(m *testing.M) { l2test.Main(m) }

// fixture is an Advertiser that runs, and a host that its eth0 leads to.
type fixture struct {
	*Advertiser
	t            *testing.T
	here, router *l2test.Host
	changed      chan struct{}
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, here: l2test.Here(t), router: l2test.NewHost(t), changed: make(chan struct{}, 1)}
	for _, h := range []*l2test.Host{f.here, f.router} {
		h.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	}
	f.Advertiser = New(slog.New(slog.NewTextHandler(t.Output(), nil)))
	return f
}

// cable leads from eth0 to eth0.
func (f *fixture) cable() { l2test.Cable(f.t, f.here, "eth0", f.router, "eth0") }

// run runs the Advertiser until the test ends.
func (f *fixture) run() {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	watcher := link.NewWatcher(f.log)
	changes := watcher.Subscribe()
	done := make(chan error, 2)
	go func() { done <- watcher.Run(ctx) }()
	go func() { done <- f.Run(ctx, changes, f.tell) }()
	f.t.Cleanup(func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				f.t.Error(err)
			}
		}
	})
}

func (f *fixture) tell() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// complaint waits until there is one that says so; of none if it is empty.
func (f *fixture) complaint(want string) {
	f.t.Helper()
	timeout := time.After(l2test.Patience)
	for {
		all := f.Complaints()
		if want == "" && len(all) == 0 || want != "" && len(all) == 1 && strings.Contains(all[0], want) {
			return
		}
		select {
		case <-f.changed:
		case <-timeout:
			f.t.Fatalf("waited for the complaint %q, have %q", want, all)
		}
	}
}

// isAdvertisement reports whether a frame holds a router advertisement.
func isAdvertisement(b []byte) bool {
	return len(b) >= 70 && b[20] == unix.IPPROTO_ICMPV6 && b[54] == 134
}

// What is sent is what RFC 4861 sections 4.2 and 6.1.2 ask for, and makes the node a
// neighbor that is a router, but nobody's default router.
func TestAdvertises(t *testing.T) {
	f := newFixture(t)
	f.cable()
	tap := f.router.Tap(t, "eth0", unix.ETH_P_IPV6)
	f.run()
	f.SetInterfaces([]string{"eth0"})
	b := tap.Wait(t, "an advertisement", isAdvertisement)
	mac := f.here.MAC(t, "eth0")
	source := linkLocal(t, f.here)
	switch ip, message := b[14:54], b[54:]; {
	case [6]byte(b) != [6]byte{0x33, 0x33, 5: 1}:
		t.Errorf("sent to %x", b[:6])
	case netip.AddrFrom16([16]byte(ip[8:])) != source, netip.AddrFrom16([16]byte(ip[24:])) != netip.IPv6LinkLocalAllNodes():
		t.Errorf("sent from %x to %x", ip[8:24], ip[24:])
	case ip[7] != 255:
		t.Errorf("hop limit %d", ip[7])
	case binary.BigEndian.Uint16(message[6:]) != 0:
		t.Errorf("router lifetime %d", binary.BigEndian.Uint16(message[6:]))
	case string(message[16:]) != "\x01\x01"+string(mac[:]):
		t.Errorf("options %x", message[16:])
	}

	l2test.Poll(t, "the kernel to know a router", func() bool {
		neighbors, err := f.router.NeighList(f.router.Link(t, "eth0").Attrs().Index, netlink.FAMILY_V6)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(neighbors, func(n netlink.Neigh) bool {
			addr, _ := netip.AddrFromSlice(n.IP)
			return addr == source && n.Flags&unix.NTF_ROUTER != 0
		})
	})
	for name, h := range map[string]*l2test.Host{"the router": f.router, "the node": f.here} {
		routes, err := h.RouteListFiltered(netlink.FAMILY_V6, &netlink.Route{}, netlink.RT_FILTER_DST)
		if err != nil || len(routes) != 0 {
			t.Errorf("default routes of %s: %v, %v", name, routes, err)
		}
	}
	counts, err := os.ReadFile("/proc/thread-self/net/snmp6")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(counts)) {
		if fields := strings.Fields(line); fields[0] == "Icmp6InRouterAdvertisements" && fields[1] != "0" {
			t.Errorf("the node hears itself: %s", line)
		}
	}
}

func linkLocal(t *testing.T, h *l2test.Host) netip.Addr {
	t.Helper()
	addresses, err := h.AddrList(h.Link(t, "eth0"), netlink.FAMILY_V6)
	if err != nil || len(addresses) != 1 {
		t.Fatalf("addresses %v, %v", addresses, err)
	}
	addr, _ := netip.AddrFromSlice(addresses[0].IP)
	return addr
}

// A router that asks is answered before the next that it would hear anyway.
func TestAnswers(t *testing.T) {
	f := newFixture(t)
	f.cable()
	f.router.Sysctl(t, "net/ipv6/conf/eth0/forwarding", "1") // so that the kernel itself asks no more
	f.run()
	tap := f.router.Tap(t, "eth0", unix.ETH_P_IPV6)
	f.SetInterfaces([]string{"eth0"})
	tap.Wait(t, "an advertisement", isAdvertisement)
	first := time.Now()
	index := f.router.Link(t, "eth0").Attrs().Index
	f.router.Do(t, func() error { return solicit(index) })
	tap.Wait(t, "an answer", isAdvertisement)
	if after := time.Since(first); after < minGap*9/10 || after >= minInterval {
		t.Errorf("the answer came after %s", after)
	}
}

// solicit asks for routers.
func solicit(index int) error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
	if err != nil {
		return err
	}
	to := &unix.SockaddrInet6{Addr: netip.IPv6LinkLocalAllRouters().As16(), ZoneId: uint32(index)}
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, hopLimit),
		unix.Sendto(fd, []byte{133, 7: 0}, 0, to),
		unix.Close(fd))
}

// Who is on a link that comes up is told at once.
func TestFlap(t *testing.T) {
	f := newFixture(t)
	f.cable()
	f.run()
	tap := f.router.Tap(t, "eth0", unix.ETH_P_IPV6)
	f.SetInterfaces([]string{"eth0"})
	tap.Wait(t, "an advertisement", isAdvertisement)
	first := time.Now()
	f.router.Down(t, "eth0")
	f.complaint("eth0: it is down")
	f.router.Up(t, "eth0")
	f.complaint("")
	tap.Wait(t, "an advertisement after the link came up", isAdvertisement)
	if after := time.Since(first); after >= minInterval {
		t.Errorf("it came after %s", after)
	}
}

// What keeps the node from being advertised is said, until it is mended.
func TestComplaints(t *testing.T) {
	f := newFixture(t)
	f.here.Sysctl(t, "net/ipv6/conf/default/addr_gen_mode", "1") // none
	f.run()
	f.SetInterfaces([]string{"eth0"})
	f.complaint("eth0: no Ethernet interface")
	f.cable()
	f.complaint("eth0: it has no link-local address")
	tap := f.router.Tap(t, "eth0", unix.ETH_P_IPV6)
	f.here.Address(t, "eth0", "2001:db8::1/64") // not from there
	f.here.Address(t, "eth0", "fe80::1:1/64")
	b := tap.Wait(t, "an advertisement", isAdvertisement)
	if from := netip.AddrFrom16([16]byte(b[22:])); from != netip.MustParseAddr("fe80::1:1") {
		t.Errorf("sent from %s", from)
	}
	f.complaint("")
	f.here.NoAddress(t, "eth0", "fe80::1:1/64")
	f.complaint("eth0: it has no link-local address")
	f.SetInterfaces(nil)
	f.complaint("")
}
