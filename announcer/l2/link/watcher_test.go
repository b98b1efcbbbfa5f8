package link

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
)

func TestMain(m *testing.M) { l2test.Main(m) }

// watch runs a watcher and returns what waits for a state of an interface; a
// state that does not come within seconds fails the test.
func watch(t *testing.T, w *Watcher) (wait func(what, name string, until func(*Interface) bool) *Interface) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := w.Subscribe(), make(chan error)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watcher: %v", err)
		}
	})
	return func(what, name string, until func(*Interface) bool) *Interface {
		t.Helper()
		deadline := time.After(5 * time.Second)
		for {
			select {
			case all := <-changes:
				var found *Interface
				for _, i := range all {
					if i.Name == name {
						found = &i
					}
				}
				if until(found) {
					return found
				}
			case <-deadline:
				t.Fatalf("waited for: %s", what)
			}
		}
	}
}

func TestWatcher(t *testing.T) {
	here, peer := l2test.Here(t), l2test.NewHost(t)
	wait := watch(t, NewWatcher(slog.New(slog.DiscardHandler)))
	wait("the first state", "eth0", func(i *Interface) bool { return i == nil })

	l2test.Cable(t, here, "eth0", peer, "eth0")
	up := func(i *Interface) bool { return i != nil && i.Up }
	first := wait("interface up", "eth0", up)
	if first.MAC != here.MAC(t, "eth0") {
		t.Errorf("MAC %s, want %s", first.MAC, here.MAC(t, "eth0"))
	}
	vips := []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")}
	here.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64")
	wait("both prefixes", "eth0", func(i *Interface) bool { return i.OnLink(vips[0]) && i.OnLink(vips[1]) })
	here.NoAddress(t, "eth0", "192.0.2.1/24")
	wait("one prefix", "eth0", func(i *Interface) bool { return !i.OnLink(vips[0]) && i.OnLink(vips[1]) })

	// The carrier goes and comes at the other end.
	peer.Down(t, "eth0")
	wait("no carrier", "eth0", func(i *Interface) bool { return !i.Up })
	peer.Up(t, "eth0")
	again := wait("carrier", "eth0", up)
	if again.Epoch == first.Epoch {
		t.Error("the same epoch after a flap")
	}

	must(t, here.LinkSetName(here.Link(t, "eth0"), "lan0"))
	wait("renamed", "lan0", up)
	here.Delete(t, "lan0")
	wait("deleted", "lan0", func(i *Interface) bool { return i == nil })
	l2test.Cable(t, here, "lan0", peer, "eth0")
	if made := wait("made again", "lan0", up); made.Index == first.Index || made.Epoch == again.Epoch {
		t.Errorf("made again as %+v", made)
	}
}

// A bridge speaks of a port that leaves it as of a link that is deleted.
func TestWatcherBridgePort(t *testing.T) {
	here, peer := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", peer, "eth0")
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}
	must(t, here.LinkAdd(bridge))
	t.Cleanup(func() { must(t, here.LinkDel(bridge)) })
	wait := watch(t, NewWatcher(slog.New(slog.DiscardHandler)))
	wait("interface up", "eth0", func(i *Interface) bool { return i != nil && i.Up })
	must(t, here.LinkSetMaster(here.Link(t, "eth0"), bridge))
	must(t, here.LinkSetNoMaster(here.Link(t, "eth0")))
	here.Address(t, "eth0", "192.0.2.1/24")
	wait("address after leaving the bridge", "eth0", func(i *Interface) bool {
		if i == nil {
			t.Fatal("an interface that left its bridge is gone")
		}
		return i.OnLink(netip.MustParseAddr("192.0.2.10"))
	})
}

// A burst that overflows the socket's buffer loses notifications, not truth.
func TestWatcherBurst(t *testing.T) {
	here, peer := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", peer, "eth0")
	lost := make(lossWriter, 1)
	w := NewWatcher(slog.New(slog.NewTextHandler(lost, nil)))
	w.receiveBuffer = 1 // the kernel makes it the least it can do with
	wait := watch(t, w)
	wait("interface up", "eth0", func(i *Interface) bool { return i != nil && i.Up })
	timeout := time.After(l2test.Patience)
	for overflowed := false; !overflowed; {
		here.Address(t, "eth0", "192.0.2.1/24")
		here.NoAddress(t, "eth0", "192.0.2.1/24")
		select {
		case <-lost:
			overflowed = true
		case <-timeout:
			t.Fatal("no notification was lost: the test tested nothing")
		default:
		}
	}
	here.Address(t, "eth0", "198.51.100.1/24")
	wait("the last address alone", "eth0", func(i *Interface) bool {
		return i.OnLink(netip.MustParseAddr("198.51.100.9")) && !i.OnLink(netip.MustParseAddr("192.0.2.9"))
	})
}

// Every subscriber is told everything, also one that comes late.
func TestWatcherSubscribers(t *testing.T) {
	here, peer := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", peer, "eth0")
	w := NewWatcher(slog.New(slog.DiscardHandler))
	early := w.Subscribe()
	wait := watch(t, w)
	wait("interface up", "eth0", func(i *Interface) bool { return i != nil && i.Up })
	here.Address(t, "eth0", "192.0.2.1/24")
	onLink := func(i *Interface) bool { return i.OnLink(netip.MustParseAddr("192.0.2.9")) }
	wait("its address", "eth0", onLink)
	for name, changes := range map[string]<-chan []Interface{"early": early, "late": w.Subscribe()} {
		select {
		case all := <-changes:
			if !slices.ContainsFunc(all, func(i Interface) bool { return onLink(&i) }) {
				t.Errorf("the %s subscriber found %+v", name, all)
			}
		default:
			t.Errorf("the %s subscriber found nothing", name)
		}
	}
}

// lossWriter is a log that tells when notifications were lost.
type lossWriter chan struct{}

func (w lossWriter) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("notifications of interfaces were lost")) {
		select {
		case w <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

// An address with a peer of 0.0.0.0, of which the kernel tells no IFA_ADDRESS,
// is no prefix, and what comes after it is seen, in a dump and in a notification.
func TestWatcherOddAddress(t *testing.T) {
	here, peer := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", peer, "eth0")
	odd := func(last byte) *netlink.Addr {
		return &netlink.Addr{
			IPNet: &net.IPNet{IP: net.IPv4(10, 9, 9, last), Mask: net.CIDRMask(32, 32)},
			Peer:  &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(32, 32)},
		}
	}
	must(t, here.AddrAdd(here.Link(t, "eth0"), odd(8)))
	wait := watch(t, NewWatcher(slog.New(slog.DiscardHandler)))
	wait("interface up", "eth0", func(i *Interface) bool { return i != nil && i.Up })
	must(t, here.AddrAdd(here.Link(t, "eth0"), odd(9)))
	here.Address(t, "eth0", "192.0.2.1/24")
	last := wait("the next address", "eth0", func(i *Interface) bool { return i.OnLink(netip.MustParseAddr("192.0.2.10")) })
	if i := last; i.OnLink(netip.MustParseAddr("10.9.9.10")) {
		t.Errorf("prefixes %v", i.Prefixes)
	}
}

// Once the interfaces are known, an error ends nothing: all is read again.
func TestWatcherKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := NewWatcher(slog.New(slog.DiscardHandler))
		calls, start := 0, time.Now()
		err := w.keep(ctx, func(context.Context) error {
			w.known = true
			if calls++; calls == 3 {
				cancel()
			}
			return unix.EMFILE
		})
		if err != nil || calls != 3 || time.Since(start) != 2*resyncWait {
			t.Errorf("error %v after %d calls and %s", err, calls, time.Since(start))
		}
	})
	w := NewWatcher(slog.New(slog.DiscardHandler))
	if err := w.keep(t.Context(), func(context.Context) error { return unix.EMFILE }); !errors.Is(err, unix.EMFILE) {
		t.Errorf("error %v before anything is known, want %v", err, unix.EMFILE)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
