package announcement

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/nodesocket"
)

// patience bounds what a test waits for on a busy machine.
const patience = time.Minute

// wire is an announcer that remembers what its agent said. What it owns is
// settled on its segment.
type wire struct {
	*segment
	node   string
	server *nodesocket.Server

	// said is the agent's word on each address that a Service holds.
	said  map[netip.Addr]announcer.Candidacy
	facts announcer.Facts
	view  announcer.View
	// probed are the addresses that were probed when their announcement began.
	probed map[netip.Addr]bool
	// snapshots and differences count what came over the socket.
	snapshots, differences int
	// answer is what becomes of an address that this node owns; nil: it is announced.
	answer func(announcer.Candidacy) announcer.Status
}

var _ nodesocket.Sink = (*wire)(nil)

func newWire(segment *segment, node string, server *nodesocket.Server) *wire {
	w := &wire{
		segment: segment,
		node:    node,
		server:  server,
		said:    make(map[netip.Addr]announcer.Candidacy),
		view:    announcer.View{Node: node},
		probed:  make(map[netip.Addr]bool),
	}
	segment.change(func() { segment.wires = append(segment.wires, w) })
	return w
}

func (w *wire) Put(c announcer.Candidacy) {
	w.change(func() {
		w.differences++
		w.said[c.Address] = c
		w.settle(c.Address)
	})
}

func (w *wire) Delete(addr netip.Addr) {
	w.change(func() { w.differences++; w.remove(addr) })
}

func (w *wire) Replace(all []announcer.Candidacy) {
	w.change(func() {
		w.snapshots++
		for addr := range w.said {
			if !slices.ContainsFunc(all, func(c announcer.Candidacy) bool { return c.Address == addr }) {
				w.remove(addr)
			}
		}
		for _, c := range all {
			w.said[c.Address] = c
			w.settle(c.Address)
		}
	})
}

func (w *wire) Facts(facts announcer.Facts) {
	w.change(func() {
		w.facts = facts
		for addr := range w.said {
			w.settle(addr)
		}
	})
}

func (w *wire) remove(addr netip.Addr) {
	delete(w.said, addr)
	w.settle(addr)
	w.server.Report(announcer.Status{Address: addr, State: announcer.Withdrawn, Since: time.Now()})
}

// stands says whether the wire may own addr.
func (w *wire) stands(addr netip.Addr) bool { return w.said[addr].Eligible && !w.facts.Excluded }

// statusOf is what the wire reports of an address that it owns.
func (w *wire) statusOf(c announcer.Candidacy) announcer.Status {
	if w.answer != nil {
		status := w.answer(c)
		status.Owner = w.node
		return status
	}
	iface := c.Interface
	if iface == "" {
		iface = "eth0"
	}
	return announcer.Status{
		Address: c.Address, State: announcer.Announced, Owner: w.node, Interfaces: []string{iface}, Since: time.Now(),
	}
}

// see has the announcer tell its agent how it sees the others.
func (w *wire) see(change func(*announcer.View)) {
	w.change(func() { change(&w.view) })
	w.server.ViewChanged()
}

func (w *wire) seen() announcer.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view
}

// samples is what a wire counts.
func (w *wire) samples() []announcer.Sample {
	return []announcer.Sample{{Metric: "herald_claims", Family: "IPv4", Value: float64(len(w.owned()))}}
}

// owned returns the addresses that the wire owns.
func (w *wire) owned() []netip.Addr {
	w.mu.Lock()
	defer w.mu.Unlock()
	var owned []netip.Addr
	for addr, s := range w.sitting {
		if s.owner == w {
			owned = append(owned, addr)
		}
	}
	slices.SortFunc(owned, netip.Addr.Compare)
	return owned
}

// candidate returns the addresses that the wire may own.
func (w *wire) candidate() []netip.Addr {
	var all []netip.Addr
	for addr := range w.said {
		if w.stands(addr) {
			all = append(all, addr)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}

// awaitExactly waits until the wire may own these addresses, and no others.
func (w *wire) awaitExactly(t *testing.T, addrs ...netip.Addr) {
	t.Helper()
	want := slices.SortedFunc(slices.Values(addrs), netip.Addr.Compare)
	w.await(t, w.node+" to be a candidate for exactly "+join(want), func() bool {
		return slices.Equal(w.candidate(), want)
	}, func() any { return w.said })
}

// awaitHeld waits until the wire was told of these addresses, and of no others.
func (w *wire) awaitHeld(t *testing.T, addrs ...netip.Addr) {
	t.Helper()
	want := slices.SortedFunc(slices.Values(addrs), netip.Addr.Compare)
	w.await(t, w.node+" to be told of exactly "+join(want), func() bool {
		return slices.Equal(slices.SortedFunc(maps.Keys(w.said), netip.Addr.Compare), want)
	}, func() any { return w.said })
}

func join(addrs []netip.Addr) string {
	text := "["
	for _, addr := range addrs {
		text += " " + addr.String()
	}
	return text + " ]"
}
