package announcement

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/nodesocket"
)

// patience bounds what a test waits for on a busy machine.
const patience = time.Minute

// wire is an announcer that remembers what it is to answer for, and says that
// it does.
type wire struct {
	server *nodesocket.Server

	mu        sync.Mutex
	changed   chan struct{}
	announced map[netip.Addr]announcer.Announcement
	// told is the last word on each address, standing or not; probed are those
	// that were probed when their announcement began.
	told   map[netip.Addr]announcer.Announcement
	probed map[netip.Addr]bool
	// snapshots and differences count what came over the socket.
	snapshots, differences int
	// answer is what becomes of an announcement; nil: it is announced.
	answer func(announcer.Announcement) announcer.Status
}

var _ announcer.Announcer = (*wire)(nil)

func newWire(server *nodesocket.Server) *wire {
	return &wire{
		server:    server,
		changed:   make(chan struct{}),
		announced: make(map[netip.Addr]announcer.Announcement),
		told:      make(map[netip.Addr]announcer.Announcement),
		probed:    make(map[netip.Addr]bool),
	}
}

// change runs f, and wakes whoever awaits a change.
func (w *wire) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *wire) Put(a announcer.Announcement) {
	w.change(func() { w.differences++; w.put(a) })
}

func (w *wire) Delete(addr netip.Addr) {
	w.change(func() { w.differences++; w.remove(addr) })
}

func (w *wire) Replace(all []announcer.Announcement) {
	w.change(func() {
		w.snapshots++
		for addr := range w.announced {
			if !slices.ContainsFunc(all, func(a announcer.Announcement) bool { return a.Address == addr }) {
				w.remove(addr)
			}
		}
		for _, a := range all {
			w.put(a)
		}
	})
}

func (w *wire) put(a announcer.Announcement) {
	w.told[a.Address] = a
	if before, standing := w.announced[a.Address]; standing && before.Interface == a.Interface {
		return
	}
	w.announced[a.Address] = a
	w.probed[a.Address] = w.probed[a.Address] || a.Probe
	w.server.Report(w.statusOf(a))
}

func (w *wire) statusOf(a announcer.Announcement) announcer.Status {
	if w.answer != nil {
		return w.answer(a)
	}
	iface := a.Interface
	if iface == "" {
		iface = "eth0"
	}
	return announcer.Status{Address: a.Address, State: announcer.Announced, Interfaces: []string{iface}, Since: time.Now()}
}

func (w *wire) remove(addr netip.Addr) {
	delete(w.announced, addr)
	w.server.Report(announcer.Status{Address: addr, State: announcer.Withdrawn, Since: time.Now()})
}

// samples is what a wire counts.
func (w *wire) samples() []announcer.Sample {
	return []announcer.Sample{{Metric: "herald_addresses_announced", Family: "ipv4", Value: float64(len(w.addresses()))}}
}

func (w *wire) addresses() []netip.Addr {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Keys(w.announced), netip.Addr.Compare)
}

// await waits until ok, which is called with the wire locked.
func (w *wire) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		done, changed := ok(), w.changed
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("waited in vain for %s; announced are %v", what, w.addresses())
		}
	}
}

// awaitExactly waits until these addresses are announced and no others.
func (w *wire) awaitExactly(t *testing.T, addrs ...netip.Addr) {
	t.Helper()
	w.await(t, "exactly "+join(addrs), func() bool {
		if len(addrs) != len(w.announced) {
			return false
		}
		for _, addr := range addrs {
			if _, ok := w.announced[addr]; !ok {
				return false
			}
		}
		return true
	})
}

func join(addrs []netip.Addr) string {
	text := "["
	for _, addr := range addrs {
		text += " " + addr.String()
	}
	return text + " ]"
}
