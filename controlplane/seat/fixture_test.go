package seat

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/controlplane/address"
)

func TestMain(m *testing.M) { l2test.Main(m) }

// fixture is a seat of the host that the test process is, announced by a real announcer,
// on a segment with another host.
type fixture struct {
	*Seat
	t           *testing.T
	here, other *l2test.Host
	// stop ends it.
	stop func()

	mu   sync.Mutex
	said strings.Builder
	// placed and held are all that was told.
	placed []string
	held   [][]netip.Addr
}

// lifetime is as short as the kernel counts.
const lifetime = time.Second

func vips(texts ...string) (all []netip.Addr) {
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// hosts makes the two, and the cable between them.
func hosts(t *testing.T) (here, other *l2test.Host) {
	t.Helper()
	here, other = l2test.Here(t), l2test.NewHost(t)
	here.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	other.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	return here, other
}

// cable plugs it in; the other host is 192.0.2.99 and 2001:db8::99.
func cable(t *testing.T, here, other *l2test.Host) {
	t.Helper()
	l2test.Cable(t, here, "eth0", other, "eth0")
	other.Address(t, "eth0", "192.0.2.99/24", "2001:db8::99/64")
}

func start(t *testing.T, here, other *l2test.Host, o Options, vips ...netip.Addr) *fixture {
	t.Helper()
	f := &fixture{t: t, here: here, other: other}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), f), &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Lifetime = lifetime
	o.Placed = func(vip netip.Addr, on string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.placed = append(f.placed, vip.String()+" on "+on)
	}
	o.Held = func(all []netip.Addr) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.held = append(f.held, all)
	}
	timing := l2.DefaultTiming()
	timing.RetryMin, timing.RetryMax = 50*time.Millisecond, 100*time.Millisecond
	timing.SecondLook = 50 * time.Millisecond
	wire, watcher := l2.New(timing, log), link.NewWatcher(log)
	forWire, forSeat := watcher.Subscribe(), watcher.Subscribe()
	f.Seat = New(o, vips, wire, log)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 3)
	go func() { done <- watcher.Run(ctx) }()
	go func() { done <- wire.Run(ctx, forWire, f) }()
	go func() { done <- f.Run(ctx, forSeat) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(f.stop)
	return f
}

// Write takes a line of the log.
func (f *fixture) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.said.Write(line)
}

// Report and Broken implement l2.Reporter.
func (f *fixture) Report(s announcer.Status) { f.Seat.Report(s) }

func (f *fixture) Broken(l2.Port, bool) {}

// waitFor waits until a line of the log has all of the words, and forgets what was said
// up to then.
func (f *fixture) waitFor(words ...string) {
	f.t.Helper()
	l2test.Poll(f.t, "the log to say "+strings.Join(words, ", "), func() bool { return f.says(words...) })
}

func (f *fixture) says(words ...string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for line := range strings.Lines(f.said.String()) {
		missing := func(word string) bool { return !strings.Contains(line, word) }
		if !slices.ContainsFunc(words, missing) {
			f.said.Reset()
			return true
		}
	}
	return false
}

// has reports whether the kernel has an address on an interface.
func has(t *testing.T, addr netip.Addr, on string) bool {
	t.Helper()
	all, err := address.All()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(a address.Assigned) bool {
		return a.Prefix.Addr() == addr && address.Name(a.Index) == on && !a.Failed
	})
}

// waitHas waits until eth0 has all of the VIPs, and the other host finds them there.
func (f *fixture) waitHas(vips ...netip.Addr) {
	f.t.Helper()
	l2test.Poll(f.t, "the VIPs to be on eth0", func() bool {
		return !slices.ContainsFunc(vips, func(vip netip.Addr) bool { return !has(f.t, vip, "eth0") })
	})
	for _, vip := range vips {
		f.other.Talk(f.t, vip)
		f.other.WaitNeighbor(f.t, vip, f.here.MAC(f.t, "eth0"), 0x02|0x04|0x08|0x10) // those that it uses
	}
}

// waitPlaced waits for what was told of the place last.
func (f *fixture) waitPlaced(want string) {
	f.t.Helper()
	l2test.Poll(f.t, "the place to be told as "+want, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.placed) > 0 && f.placed[len(f.placed)-1] == want
	})
}
