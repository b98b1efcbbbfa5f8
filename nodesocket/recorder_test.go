package nodesocket

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer"
)

// patience bounds what a test waits for on a busy machine.
const patience = 30 * time.Second

// watched is a value that a test can wait on.
type watched[V any] struct {
	mu      sync.Mutex
	value   V
	changed chan struct{}
}

func (w *watched[V]) change(f func(*V)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.value)
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// await waits until ok says so of the value.
func (w *watched[V]) await(t *testing.T, what string, ok func(V) bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		done := ok(w.value)
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// wireLog is what a recorder was told, and stands for what goes out on the wire.
type wireLog struct {
	announced               map[netip.Addr]announcer.Candidacy
	replaces, puts, deletes int
	facts                   []announcer.Facts
}

// recorder is a sink that remembers.
type recorder struct{ watched[wireLog] }

func newRecorder() *recorder {
	r := new(recorder)
	r.value.announced = make(map[netip.Addr]announcer.Candidacy)
	return r
}

func (r *recorder) Put(a announcer.Candidacy) {
	r.change(func(w *wireLog) { w.puts++; w.announced[a.Address] = a })
}

func (r *recorder) Delete(addr netip.Addr) {
	r.change(func(w *wireLog) { w.deletes++; delete(w.announced, addr) })
}

func (r *recorder) Replace(all []announcer.Candidacy) {
	r.change(func(w *wireLog) {
		w.replaces++
		clear(w.announced)
		for _, a := range all {
			w.announced[a.Address] = a
		}
	})
}

func (r *recorder) Facts(f announcer.Facts) {
	r.change(func(w *wireLog) { w.facts = append(w.facts, f) })
}

// awaitAnnounced waits until exactly these are announced.
func (r *recorder) awaitAnnounced(t *testing.T, want ...announcer.Candidacy) {
	t.Helper()
	slices.SortFunc(want, func(a, b announcer.Candidacy) int { return a.Address.Compare(b.Address) })
	r.await(t, "announcements", func(w wireLog) bool {
		if len(w.announced) != len(want) {
			return false
		}
		got := slices.SortedFunc(maps.Values(w.announced), func(a, b announcer.Candidacy) int {
			return a.Address.Compare(b.Address)
		})
		return cmp.Equal(want, got, compareAddrs)
	})
}

// seenLog is what an observer was told.
type seenLog struct {
	statuses map[netip.Addr]announcer.Status
	samples  []announcer.Sample
	view     announcer.View
	// away counts how often the announcer was said to be away.
	away int
}

// watcher is an observer that remembers.
type watcher struct{ watched[seenLog] }

func newWatcher() *watcher {
	w := new(watcher)
	w.value.statuses = make(map[netip.Addr]announcer.Status)
	return w
}

func (w *watcher) Reset() {
	w.change(func(s *seenLog) { clear(s.statuses) })
}

func (w *watcher) Away() { w.change(func(s *seenLog) { s.away++ }) }

func (w *watcher) Observe(status announcer.Status) {
	w.change(func(s *seenLog) { s.statuses[status.Address] = status })
}

func (w *watcher) ObserveSamples(samples []announcer.Sample) {
	w.change(func(s *seenLog) { s.samples = samples })
}

func (w *watcher) ObserveView(view announcer.View) {
	w.change(func(s *seenLog) { s.view = view })
}
