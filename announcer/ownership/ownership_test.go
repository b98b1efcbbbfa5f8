package ownership

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
)

// world is all that an Ownership talks to. It writes down what it is told.
type world struct {
	owner   *Ownership
	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *world) Put(all ...announcer.Announcement) {
	for _, a := range all {
		w.note("put %s", a.Address)
	}
}

func (w *world) Delete(all ...netip.Addr) { w.note("delete %v", all) }
func (w *world) Again(all ...netip.Addr)  { w.note("again %v", all) }

func (w *world) Beat(b membership.Beacon) { w.note("beat %v %d", b.Standing, b.Digest.Count) }
func (w *world) Send(to election.ID, m election.Message) {
	w.note("send to %q: %d claims, %d dropped", to.Node, len(m.Claims), len(m.Dropped))
}

func (w *world) SetInterfaces(all []link.Interface) {
	w.note("interfaces %d", len(all))
	w.owner.Listening([]int{1})
}

func (w *world) SetCluster(name string)    { w.note("cluster %s", name) }
func (w *world) SetPeers(all []netip.Addr) { w.note("peers %v", all) }

func (w *world) View() announcer.View { return announcer.View{Node: "a"} }

func (w *world) Report(s announcer.Status) { w.note("%s is %s, owner %q", s.Address, s.State, s.Owner) }
func (w *world) ViewChanged()              { w.note("view changed") }

// await waits until lines were written in this order, and forgets all up to the
// last of them.
func (w *world) await(t *testing.T, want ...string) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		w.mu.Lock()
		next := 0
		for i, line := range w.lines {
			if next < len(want) && line == want[next] {
				next++
			}
			if next == len(want) {
				w.lines = w.lines[i+1:]
				w.mu.Unlock()
				return
			}
		}
		got := strings.Join(w.lines, "\n")
		w.mu.Unlock()
		select {
		case <-w.changed:
		case <-timeout:
			t.Fatalf("waited for %q in\n%s", want, got)
		}
	}
}

// begin runs an Ownership on a segment until the test ends.
func begin(t *testing.T, options Options) (o *Ownership, w *world, stop func()) {
	t.Helper()
	options.Self, options.Timing, options.Listen = election.ID{Node: "a", Incarnation: 1}, election.DefaultTiming(), Listening(0)
	w = &world{changed: make(chan struct{}, 1)}
	o = New(options, w, w, w, w, slog.New(slog.NewTextHandler(t.Output(), nil)))
	w.owner = o
	changes := make(chan []link.Interface)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx, changes) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	// What comes after it is judged with the interfaces known.
	changes <- []link.Interface{{Index: 1, Name: "eth0", Up: true, Epoch: 1, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
	return o, w, stop
}

// What clients wait for comes before what the others are told, and that before
// what the agent is.
func TestOrder(t *testing.T) {
	o, w, stop := begin(t, Options{Cluster: "flag", Peers: []netip.Addr{netip.MustParseAddr("192.0.2.9")}})
	w.await(t, "cluster flag", "peers [192.0.2.9]")
	o.Facts(announcer.Facts{Cluster: "agent", Nodes: 2, Peers: []netip.Addr{netip.MustParseAddr("192.0.2.2")}})
	w.await(t, "peers [192.0.2.2 192.0.2.9]")
	c := announcer.Candidacy{Announcement: announcer.Announcement{Address: netip.MustParseAddr("192.0.2.10")}, Eligible: true}
	o.Replace([]announcer.Candidacy{c})
	w.await(t, "interfaces 1", "beat true 0", `192.0.2.10 is Standby, owner ""`)
	w.await(t, "put 192.0.2.10", "beat true 1", `send to "": 1 claims, 0 dropped`)
	o.Report(announcer.Status{Address: c.Address, State: announcer.Announced})
	w.await(t, `192.0.2.10 is Announced, owner "a"`)
	if v := o.View(); !v.Alone || v.Isolated || v.Node != "a" {
		t.Errorf("view %+v", v)
	}
	o.Broken(l2.Port{Epoch: 1}, true)
	w.await(t, "delete [192.0.2.10]")
	o.Broken(l2.Port{Epoch: 1}, false)
	w.await(t, "put 192.0.2.10")
	o.Delete(c.Address)
	w.await(t, "delete [192.0.2.10]", `192.0.2.10 is Withdrawn, owner ""`)
	o.Put(c)
	w.await(t, "put 192.0.2.10")
	if err := o.Health(); err != nil {
		t.Error(err)
	}
	leaving, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	o.Leave(leaving)
	if leaving.Err() != nil {
		t.Error("nobody is there, and it did not leave")
	}
	w.await(t, "delete [192.0.2.10]")
	stop()
	if o.Health() == nil {
		t.Error("healthy when it does not run")
	}
}

// A fail-over is counted, from the last word of who is dead.
func TestFailOverIsMeasured(t *testing.T) {
	o, w, _ := begin(t, Options{})
	o.Facts(announcer.Facts{Cluster: "agent", Nodes: 2})
	addr := netip.MustParseAddr("192.0.2.10")
	other := election.New(election.ID{Node: "b", Incarnation: 1}, election.DefaultTiming())
	other.Stand(time.Now(), true)
	other.Put(time.Now(), election.Candidate{Address: addr, Segments: 1, Eligible: true})
	said := other.Take().Messages[0].Message
	id := election.ID{Node: "b", Incarnation: 1}
	o.Joined(membership.Peer{ID: id, Interfaces: []int{1}, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Standing: true})
	o.Replace([]announcer.Candidacy{{Announcement: announcer.Announcement{Address: addr}, Eligible: true}})
	w.await(t, "interfaces 1")
	o.Received(id, said)
	o.Heard(id, other.Digest())
	w.await(t, `192.0.2.10 is Standby, owner "b"`)
	o.Gone(id, membership.Refused, time.Now().Add(-100*time.Millisecond))
	w.await(t, "put 192.0.2.10")
	var told *announcer.Histogram
	l2test.Poll(t, "a fail-over that is counted", func() bool {
		for _, s := range o.Samples() {
			if s.Metric == "herald_failover_duration_seconds" {
				told = s.Histogram
			}
		}
		return told != nil && told.Count == 1
	})
	if told.Sum < 0.1 || told.Sum > 5 || told.Buckets[0].Count != 0 {
		t.Errorf("histogram %+v", told)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if is := h.sample(); is.Count != 0 || len(is.Buckets) != len(bounds()) {
		t.Errorf("at first: %+v", is)
	}
	for _, d := range []time.Duration{0, 10 * time.Millisecond, 11 * time.Millisecond, time.Hour} {
		h.observe(d, 1)
	}
	is := h.sample()
	if is.Count != 4 || is.Buckets[0].Count != 2 || is.Buckets[1].Count != 3 || is.Buckets[len(is.Buckets)-1].Count != 3 {
		t.Errorf("%+v", is)
	}
}

func TestListening(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration
		nodes    int
		want     time.Duration
	}{
		{0, 0, 200 * time.Millisecond},
		{0, 50, 200 * time.Millisecond},
		{0, 1000, 3 * time.Second},
		{time.Second, 3, 3 * time.Second},
		{10 * time.Millisecond, 3, 200 * time.Millisecond},
	} {
		if got := Listening(tt.interval)(tt.nodes); got != tt.want {
			t.Errorf("%s, %d nodes: %s, want %s", tt.interval, tt.nodes, got, tt.want)
		}
	}
}
