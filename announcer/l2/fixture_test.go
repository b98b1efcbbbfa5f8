package l2

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// fixture is an announcer that runs, on a segment with a client.
type fixture struct {
	*Announcer

	mu       sync.Mutex
	statuses map[netip.Addr]announcer.Status
	changed  chan struct{}
	// stop ends the announcer, and makes sure that it leaves nothing behind.
	stop func()
}

// segmentAddresses are those of a test: ours on the segment, the client's, one
// that is announced, and a large prefix that is on-link too.
type segmentAddresses struct {
	here, client, pool string
	vip                netip.Addr
}

func families() map[string]segmentAddresses {
	return map[string]segmentAddresses{
		"IPv4": {"192.0.2.1/24", "192.0.2.99/24", "10.0.0.0/8", netip.MustParseAddr("192.0.2.10")},
		"IPv6": {"2001:db8:1::1/64", "2001:db8:1::99/64", "2001:db8::/64", netip.MustParseAddr("2001:db8:1::10")},
	}
}

// segment makes a cable from eth0 here to eth0 of a client.
func segment(t testing.TB) (here, client *l2test.Host) {
	t.Helper()
	here, client = l2test.Here(t), l2test.NewHost(t)
	// A kernel asks by unicast only from a link-local address that it has
	// probed; none is waited for here.
	client.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	l2test.Cable(t, here, "eth0", client, "eth0")
	return here, client
}

// quick is for tests that wait for what is slow in use.
func quick() Timing {
	timing := DefaultTiming()
	timing.RetryMin, timing.RetryMax = 50*time.Millisecond, 100*time.Millisecond
	timing.SecondLook = 50 * time.Millisecond
	return timing
}

// run runs an announcer until the test ends, at the latest.
func run(t testing.TB, timing Timing) *fixture {
	t.Helper()
	f := &fixture{statuses: make(map[netip.Addr]announcer.Status), changed: make(chan struct{}, 1)}
	f.Announcer = New(timing, slog.New(slog.NewTextHandler(t.Output(), nil)))
	before := openSockets(t)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 2)
	watcher := link.NewWatcher(f.log)
	changes := watcher.Subscribe()
	go func() { done <- watcher.Run(ctx) }()
	go func() { done <- f.Run(ctx, changes, f) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
		if after := openSockets(t); after > before {
			t.Errorf("%d sockets open after Run, %d before", after, before)
		}
	})
	t.Cleanup(f.stop)
	return f
}

func openSockets(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	sockets := 0
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			sockets++
		}
	}
	return sockets
}

// Report implements Reporter.
func (f *fixture) Report(s announcer.Status) {
	f.mu.Lock()
	f.statuses[s.Address] = s
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// Broken implements Reporter.
func (f *fixture) Broken(Port, bool) {}

// status returns the newest of an address.
func (f *fixture) status(addr netip.Addr) announcer.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.statuses[addr]
}

// wait waits until the status of an address is as wanted.
func (f *fixture) wait(t testing.TB, addr netip.Addr, what string, is func(announcer.Status) bool) announcer.Status {
	t.Helper()
	timeout := time.After(l2test.Patience)
	for {
		s := f.status(addr)
		if is(s) {
			return s
		}
		select {
		case <-f.changed:
		case <-timeout:
			t.Fatalf("waited for %s to be %s; it is %+v", addr, what, s)
		}
	}
}

func (f *fixture) waitState(t testing.TB, addr netip.Addr, state announcer.State) announcer.Status {
	t.Helper()
	return f.wait(t, addr, string(state), func(s announcer.Status) bool { return s.State == state })
}

// eachFamily runs a test for IPv4 and for IPv6, on a segment with addresses.
func eachFamily(t *testing.T, test func(t *testing.T, here, client *l2test.Host, vip netip.Addr)) {
	t.Helper()
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			here, client := segment(t)
			here.Address(t, "eth0", f.here)
			client.Address(t, "eth0", f.client)
			test(t, here, client, f.vip)
		})
	}
}

// valid are the states in which a kernel uses an entry of its neighbour table.
const valid = netlink.NUD_REACHABLE | netlink.NUD_STALE | netlink.NUD_DELAY | netlink.NUD_PROBE

func stranger() frame.MAC { return frame.MAC{2, 0, 0, 0, 0, 0x66} }

// announce announces an address and waits until it is.
func (f *fixture) announce(t testing.TB, addr netip.Addr) {
	t.Helper()
	f.Put(announcer.Announcement{Address: addr})
	f.waitState(t, addr, announcer.Announced)
}

// tap taps the frames of an address's family at the client.
func tap(t testing.TB, client *l2test.Host, addr netip.Addr) *l2test.Tap {
	t.Helper()
	return client.Tap(t, "eth0", speakerOf(addr).EtherType())
}

func speakerOf(addr netip.Addr) interface {
	speaker
	protocol
} {
	if addr.Is4() {
		return frame.ARP{}
	}
	return frame.NDP{}
}

// claims reports whether a frame is one by which somebody says that an address
// is at mac.
func claims(b []byte, addr netip.Addr, mac frame.MAC) bool {
	var m frame.Message
	return speakerOf(addr).Parse(b, &m) == frame.None && m.Uses == addr && m.From == mac
}

// waitClaim waits until somebody says that an address is at mac.
func waitClaim(t testing.TB, tap *l2test.Tap, addr netip.Addr, mac frame.MAC) {
	t.Helper()
	tap.Wait(t, "word that "+addr.String()+" is at "+mac.String(), func(b []byte) bool { return claims(b, addr, mac) })
}

// question is what the client's kernel would ask.
func question(t testing.TB, mac frame.MAC, from, target netip.Addr) []byte {
	t.Helper()
	if target.Is4() {
		return arpRequest(t, mac, from, target)
	}
	return solicitation(t, mac, from, target)
}

// ask sends a question as the client would.
func ask(t testing.TB, tap *l2test.Tap, mac frame.MAC, from, target netip.Addr) {
	t.Helper()
	tap.Send(t, question(t, mac, from, target))
}

// sample returns a metric of eth0, summed over the families.
func (f *fixture) sample(metric, reason string) float64 {
	sum := 0.0
	for _, s := range f.Samples() {
		if s.Metric == metric && s.Interface == "eth0" && s.Reason == reason {
			sum += s.Value
		}
	}
	return sum
}

// clientAddress is the client's of the same family.
func clientAddress(addr netip.Addr) netip.Addr {
	name := string(familyOf(addr))
	return netip.MustParsePrefix(families()[name].client).Addr()
}

// waitReply waits for the answer that mac sends to one station.
func waitReply(t testing.TB, tap *l2test.Tap, addr netip.Addr, mac, to frame.MAC) {
	t.Helper()
	tap.Wait(t, "an answer for "+addr.String(), func(b []byte) bool { return claims(b, addr, mac) && frame.MAC(b) == to })
}

// broadcast sends a frame to everybody.
func broadcast(b []byte) []byte {
	copy(b, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	return b
}
