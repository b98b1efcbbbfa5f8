package nodesocket

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer"
)

func TestSnapshotThenDifferences(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(4)
	startServer(t, path, Backend{Sink: wire})
	client, _ := startClient(t, path, newWatcher())

	put(t, client, all[:3]...)
	client.Synced()
	wire.awaitAnnounced(t, all[:3]...)
	put(t, client, all[3], all[0])
	client.Delete(all[1].Address)
	changed := all[2]
	changed.Interface = "eth1"
	put(t, client, changed)
	wire.awaitAnnounced(t, all[0], changed, all[3])

	wire.mu.Lock()
	defer wire.mu.Unlock()
	if wire.value.replaces != 1 || wire.value.puts != 2 || wire.value.deletes != 1 {
		t.Errorf("%d snapshots, %d puts, %d deletes; want 1, 2 (what stands is not said again), 1",
			wire.value.replaces, wire.value.puts, wire.value.deletes)
	}
}

// An agent that does not know everything yet lives, but tells nothing.
func TestNothingIsToldBeforeSynced(t *testing.T) {
	path, all := socketPath(t), candidacies(1)
	accept := rawAnnouncer(t, path)
	client, _ := startClient(t, path, newWatcher())
	put(t, client, all...)
	l := accept()
	for range 3 {
		if m, err := l.receive(patience); err != nil || m.Kind != kindPing {
			t.Fatalf("heard %+v, %v before Synced; want pings", m, err)
		}
	}
	client.Synced()
	for {
		m, err := l.receive(patience)
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind == kindPing {
			continue
		}
		want := &message{Kind: kindSnapshot, Candidacies: all}
		if diff := cmp.Diff(want, m, compareAddrs); diff != "" {
			t.Errorf("after Synced (-want +got):\n%s", diff)
		}
		return
	}
}

func TestAgentRestartChangesNothing(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(3)
	startServer(t, path, Backend{Sink: wire})
	first, stop := startClient(t, path, newWatcher())
	put(t, first, all...)
	first.Synced()
	wire.awaitAnnounced(t, all...)
	stop()
	if first.Connected() {
		t.Error("still connected after its end")
	}

	second, _ := startClient(t, path, newWatcher())
	put(t, second, all...)
	second.Synced()
	wire.await(t, "the second snapshot", func(w wireLog) bool { return w.replaces == 2 })
	wire.awaitAnnounced(t, all...)
	wire.await(t, "no difference", func(w wireLog) bool { return w.puts == 0 && w.deletes == 0 })
}

func TestAnnouncerRestartIsToldAll(t *testing.T) {
	path, all := socketPath(t), candidacies(3)
	before := newRecorder()
	_, stop := startServer(t, path, Backend{Sink: before})
	client, _ := startClient(t, path, newWatcher())
	put(t, client, all...)
	client.Synced()
	before.awaitAnnounced(t, all...)
	stop()
	client.Delete(all[0].Address)

	after := newRecorder()
	startServer(t, path, Backend{Sink: after})
	after.awaitAnnounced(t, all[1:]...)
}

// A probe is for the beginning: an announcement that stands is not put again,
// and an announcer that restarts is not told to probe what it announced.
func TestProbeIsForTheBeginning(t *testing.T) {
	path, all := socketPath(t), candidacies(2)
	before := newRecorder()
	server, stop := startServer(t, path, Backend{Sink: before})
	seen := newWatcher()
	client, _ := startClient(t, path, seen)
	client.Synced()
	for i := range all {
		all[i].Probe = true
	}
	put(t, client, all...)
	before.awaitAnnounced(t, all...)
	server.Report(announcer.Status{Address: all[0].Address, State: announcer.Announced})
	server.Report(announcer.Status{Address: all[1].Address, State: announcer.Probing})
	seen.await(t, "the statuses", func(s seenLog) bool { return len(s.statuses) == 2 })
	put(t, client, candidacies(1)[0])
	stop()

	after := newRecorder()
	startServer(t, path, Backend{Sink: after})
	all[0].Probe = false
	after.awaitAnnounced(t, all...)
	before.await(t, "each once", func(w wireLog) bool { return w.replaces+w.puts <= 1+len(all) })
}

func TestHalfSnapshotIsDiscarded(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(4)
	startServer(t, path, Backend{Sink: wire})
	standing := rawAgent(t, path)
	say(t, standing, agentHello, message{Kind: kindSnapshot, Candidacies: all[:2]})
	wire.awaitAnnounced(t, all[:2]...)

	killed := rawAgent(t, path)
	say(t, killed, agentHello, message{Kind: kindSnapshot, Candidacies: all[2:], More: true})
	killed.close()
	awaitEnd(t, standing) // it was replaced by the one that was killed

	last := rawAgent(t, path)
	say(t, last, agentHello, message{Kind: kindSnapshot, Candidacies: all[1:3]})
	wire.awaitAnnounced(t, all[1:3]...)
	wire.await(t, "whole snapshots only", func(w wireLog) bool { return w.replaces == 2 })
}

func TestNewAgentReplacesOld(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(3)
	startServer(t, path, Backend{Sink: wire})
	old := rawAgent(t, path)
	say(t, old, agentHello, message{Kind: kindSnapshot, Candidacies: all[:1]})
	wire.awaitAnnounced(t, all[0])
	young := rawAgent(t, path)
	say(t, young, agentHello)
	awaitEnd(t, old)
	say(t, young, message{Kind: kindSnapshot, Candidacies: all[1:]})
	wire.awaitAnnounced(t, all[1:]...)
}

func TestStatusesAndSamplesComeUp(t *testing.T) {
	path, all := socketPath(t), candidacies(3)
	samples := make([]announcer.Sample, 1000)
	for i := range samples {
		samples[i] = announcer.Sample{Metric: "herald_replies_sent_total", Value: float64(i)}
	}
	server, _ := startServer(t, path, Backend{
		Sink: discard{}, Samples: func() []announcer.Sample { return samples },
	})
	report := func(i int, state announcer.State) {
		server.Report(announcer.Status{Address: all[i].Address, State: state, Interfaces: repeat("eth0", maxInterfaces+1)})
	}
	report(0, announcer.Announced)
	report(1, announcer.Probing)
	report(1, announcer.Conflict)

	seen := newWatcher()
	_, stop := startClient(t, path, seen)
	seen.await(t, "what was before", func(s seenLog) bool {
		return s.statuses[all[0].Address].State == announcer.Announced &&
			s.statuses[all[1].Address].State == announcer.Conflict && len(s.statuses) == 2
	})
	report(0, announcer.Withdrawn)
	report(2, announcer.OffLink)
	seen.await(t, "the changes", func(s seenLog) bool {
		return s.statuses[all[0].Address].State == announcer.Withdrawn &&
			s.statuses[all[2].Address].State == announcer.OffLink
	})
	seen.await(t, "the samples", func(s seenLog) bool { return cmp.Equal(samples, s.samples) })
	stop()

	again := newWatcher()
	startClient(t, path, again)
	again.await(t, "what is left", func(s seenLog) bool {
		_, withdrawn := s.statuses[all[0].Address]
		return len(s.statuses) == 2 && !withdrawn
	})
}

// A withdrawal is not told to who comes later, so the agent forgets what it knew
// of an announcer when it meets it, or another, again.
func TestLostWithdrawal(t *testing.T) {
	path, all := socketPath(t), candidacies(2)
	accept, seen := rawAnnouncer(t, path), newWatcher()
	startClient(t, path, seen)
	for _, a := range all {
		l := accept()
		say(t, l, message{Kind: kindStatus, Statuses: []announcer.Status{{Address: a.Address, State: announcer.Announced}}})
		seen.await(t, "this connection's status alone", func(s seenLog) bool {
			_, told := s.statuses[a.Address]
			return told && len(s.statuses) == 1
		})
		l.close()
	}
}

func TestHundredThousandAddresses(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(100_000)
	startServer(t, path, Backend{Sink: wire})
	client, _ := startClient(t, path, newWatcher())
	put(t, client, all...)
	client.Synced()
	wire.await(t, "all of them", func(w wireLog) bool { return len(w.announced) == len(all) })
	for _, a := range all[1:] {
		client.Delete(a.Address)
	}
	wire.awaitAnnounced(t, all[0])
	wire.await(t, "one snapshot", func(w wireLog) bool { return w.replaces == 1 })
}

// An agent that stops reading neither blocks the announcer nor keeps its place.
func TestSlowReaderIsDropped(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(20_000)
	server, _ := startServer(t, path, Backend{Sink: wire})
	slow := rawAgent(t, path)
	say(t, slow, agentHello, message{Kind: kindSnapshot, Candidacies: all[:1]})
	wire.awaitAnnounced(t, all[0])
	gone := make(chan struct{})
	go func() { // it goes on to speak, so that only its not reading counts
		defer close(gone)
		pace := time.NewTicker(quick.beat)
		defer pace.Stop()
		for slow.send(&message{Kind: kindPing}) == nil {
			<-pace.C
		}
	}()
	for _, a := range all {
		server.Report(announcer.Status{Address: a.Address, State: announcer.Announced})
	}
	select {
	case <-gone:
	case <-time.After(patience):
		t.Fatal("the server kept a connection that nobody reads")
	}
	wire.awaitAnnounced(t, all[0])
	seen := newWatcher()
	startClient(t, path, seen)
	seen.await(t, "all statuses", func(s seenLog) bool { return len(s.statuses) == len(all) })
}

func TestProbe(t *testing.T) {
	path, wire := socketPath(t), newRecorder()
	if err := Probe(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no announcer: %v", err)
	}
	var complaint atomic.Pointer[error]
	_, stop := startServer(t, path, Backend{Sink: wire, Health: func() error {
		if err := complaint.Load(); err != nil {
			return *err
		}
		return nil
	}})
	client, _ := startClient(t, path, newWatcher())
	client.Synced()
	wire.await(t, "the agent", func(w wireLog) bool { return w.replaces == 1 })
	if err := Probe(t.Context(), path); err != nil {
		t.Errorf("a healthy announcer: %v", err)
	}
	stuck := errors.New("reader stuck")
	complaint.Store(&stuck)
	if err := Probe(t.Context(), path); !errors.Is(err, ErrUnhealthy) || !strings.Contains(err.Error(), "reader stuck") {
		t.Errorf("an unhealthy announcer: %v", err)
	}
	if !client.Connected() {
		t.Error("a probe took the agent's place")
	}
	stop()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
