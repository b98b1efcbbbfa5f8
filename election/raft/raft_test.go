package raft

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
)

func others(name string) []string {
	return slices.DeleteFunc([]string{"a", "b", "c"}, func(other string) bool { return other == name })
}

// One of three holds the VIP; of one that is killed, hangs, or is not ready, another
// takes it; who is told to end passes it on.
func TestElection(t *testing.T) {
	for kind, onDisk := range map[string]bool{"in memory": false, "on disk": true} {
		t.Run(kind, func(t *testing.T) {
			n := newNodes(t, onDisk)
			for name := range n.options {
				n.start(name)
			}
			first := n.holder("a", "b", "c")
			n.kill(first)
			start := time.Now()
			second := n.holder(others(first)...)
			t.Logf("%s took over after %s", second, time.Since(start))
			n.start(first)
			n.signal(second, syscall.SIGSTOP)
			third := n.holder(others(second)...)
			n.signal(second, syscall.SIGCONT)
			n.signal(third, syscall.SIGUSR1)
			fourth := n.holder(others(third)...)
			n.signal(third, syscall.SIGUSR2)
			n.signal(fourth, syscall.SIGTERM)
			if err := n.running[fourth].Wait(); err != nil {
				t.Errorf("after SIGTERM: %v", err)
			}
			delete(n.running, fourth)
			n.holder(others(fourth)...)
			n.alone()
		})
	}
}

// holds notes for how long the VIP is held, and how far apart that was said.
type holds struct {
	until announcer.BootTime
	gaps  int
	terms chan struct{}
}

func (h *holds) Hold(t controlplane.Term) {
	if now, err := announcer.Now(); h.until != 0 && (err != nil || now > h.until) {
		h.gaps++
	}
	h.until = t.Until
	h.terms <- struct{}{}
}

func (h *holds) Release()                     {}
func (h *holds) Renew()                       {}
func (h *holds) Vacant(context.Context) error { return nil }

// One that is alone, as during kubeadm init, holds the VIP without a gap.
func TestAlone(t *testing.T) {
	dir := t.TempDir()
	o := Options{Node: "a", Peers: []Peer{{"a", free(t)}}, Credentials: newAuthority(t, dir).issue(t, dir, "a")}
	o.Listen = o.Peers[0].Address
	elector, err := New(o, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ready := make(chan bool, 1)
	ready <- true
	seat := &holds{terms: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- elector.Run(ctx, ready, seat) }()
	for range 20 {
		<-seat.terms
	}
	gaps := seat.gaps
	go func() {
		for range seat.terms {
		}
	}()
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	close(seat.terms)
	if gaps > 0 {
		t.Errorf("of 20 terms %d began after the end of the one before", gaps)
	}
}

// A cluster that one node began takes the others in.
func TestGrow(t *testing.T) {
	n := newNodes(t, true)
	all := n.options["a"].Peers
	alone := n.options["a"]
	alone.Peers = all[:1]
	n.options["a"] = alone
	n.start("a")
	n.holder("a")
	for _, name := range others("a") {
		o := n.options[name]
		o.Existing = true
		n.options[name] = o
		n.start(name)
	}
	n.signal("a", syscall.SIGTERM)
	if err := n.running["a"].Wait(); err != nil {
		t.Error(err)
	}
	alone.Peers = all
	n.options["a"] = alone
	n.start("a")
	n.holder("a")
	// Until the others have a vote, the VIP cannot outlive it.
	for _, name := range others("a") {
		n.says("a node has a vote\" peer="+name, 1)
	}
	n.kill("a")
	n.holder(others("a")...)
	n.alone()
}

// A node that is to get a vote and is not there yet costs no quorum; it gets one when it
// comes.
func TestGrowLater(t *testing.T) {
	n := newNodes(t, true)
	a, b := n.options["a"], n.options["b"]
	both := a.Peers[:2]
	a.Peers = both[:1]
	n.options["a"] = a
	n.start("a")
	n.holder("a")
	n.signal("a", syscall.SIGTERM)
	if err := n.running["a"].Wait(); err != nil {
		t.Error(err)
	}
	a.Peers = both
	n.options["a"] = a
	n.start("a")
	n.says("a node gets no vote before it answers\" peer=b", 1)
	<-time.After(4 * DefaultHeartbeat) // by which a leader without a quorum would have noticed
	n.holder("a")
	b.Peers, b.Existing = both, true
	n.options["b"] = b
	n.start("b")
	n.says("a node has a vote\" peer=b", 1)
	n.holder("a", "b")
	n.alone()
}

// A node whose certificate is of another authority is named; the others go on.
func TestForeignCertificate(t *testing.T) {
	n := newNodes(t, false)
	dir := t.TempDir()
	c := n.options["c"]
	c.Credentials = newAuthority(t, dir).issue(t, dir, "c")
	n.options["c"] = c
	for name := range n.options {
		n.start(name)
	}
	n.holder("a", "b")
	n.says("unknown authority", 1)
	n.says("a node of raft does not answer\" peer=c", 1)
}

// Whatever is killed, stopped and started, two never hold the VIP at once.
func TestNeverTwo(t *testing.T) {
	n := newNodes(t, false)
	for name := range n.options {
		n.start(name)
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	stopped := make(map[string]bool)
	for range 40 {
		name := []string{"a", "b", "c"}[random.IntN(3)]
		if last := n.last(); last != "" && random.IntN(2) == 0 {
			name = last
		}
		switch {
		case stopped[name]:
			n.signal(name, syscall.SIGCONT)
			delete(stopped, name)
		case n.running[name] == nil:
			n.start(name)
		case random.IntN(3) == 0:
			n.kill(name)
		default:
			n.signal(name, syscall.SIGSTOP)
			stopped[name] = true
		}
		// A fault for a moment, about as long as a term, or longer than an election takes.
		<-time.After(time.Duration(random.Int64N(int64(DefaultHeartbeat) << random.IntN(3))))
	}
	for name := range stopped {
		n.signal(name, syscall.SIGCONT)
	}
	for name := range n.options {
		if n.running[name] == nil {
			n.start(name)
		}
	}
	n.holder("a", "b", "c")
	t.Logf("seed %d: %d pairs of terms", seed, n.alone())
}

// However often one was elected, and its log no longer begins at the beginning: a node that
// starts again knows who has a vote, by its disk or from another.
func TestLongLog(t *testing.T) {
	for kind, onDisk := range map[string]bool{"in memory": false, "on disk": true} {
		t.Run(kind, func(t *testing.T) {
			n := newNodes(t, onDisk)
			begin := func(name string) (*raft.Raft, func() error) {
				t.Helper()
				o := n.options[name]
				o.Peers, o.Heartbeat = o.Peers[:2], 5*DefaultHeartbeat // the disk may be slow
				elector, err := New(o, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				node, _, end, err := elector.join(t.Context())
				if err != nil {
					t.Fatalf("%s does not start: %v", name, err)
				}
				return node, end
			}
			end := make(map[string]func() error)
			var a, b *raft.Raft
			a, end["a"] = begin("a")
			b, end["b"] = begin("b")
			// On disk, it is the one that took the snapshot that starts again.
			leader, other := a, map[bool]string{false: "b", true: "a"}[onDisk]
			select {
			case <-a.LeaderCh():
			case <-b.LeaderCh():
				leader, other = b, map[bool]string{false: "a", true: "b"}[onDisk]
			}
			var last raft.ApplyFuture
			for range raft.DefaultConfig().TrailingLogs + 1000 {
				last = leader.Apply(nil, 0)
			}
			for _, future := range []raft.Future{last, leader.Snapshot()} {
				if err := future.Error(); err != nil {
					t.Fatal(err)
				}
			}
			if err := end[other](); err != nil {
				t.Fatal(err)
			}
			if onDisk { // This process still has a lock on what it left.
				o := n.options[other]
				o.Directory += "-again"
				if err := os.CopyFS(o.Directory, os.DirFS(n.options[other].Directory)); err != nil {
					t.Fatal(err)
				}
				n.options[other] = o
			}
			var again *raft.Raft
			again, end[other] = begin(other)
			for until := time.Now().Add(10 * time.Second); again.AppliedIndex() < last.Index(); <-time.After(10 * time.Millisecond) {
				if time.Now().After(until) {
					t.Errorf("it knows %d entries of %d", again.AppliedIndex(), last.Index())
					break
				}
			}
			for _, each := range end {
				if err := each(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Who cannot listen says why.
func TestPortTaken(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	dir := t.TempDir()
	o := Options{Node: "a", Peers: []Peer{{"a", listener.Addr().String()}}, Listen: listener.Addr().String(), Credentials: newAuthority(t, dir).issue(t, dir, "a")}
	elector, err := New(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := elector.Run(t.Context(), nil, new(teller)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("error %v, want %v", err, syscall.EADDRINUSE)
	}
}

func TestOptions(t *testing.T) {
	dir := t.TempDir()
	credentials := newAuthority(t, dir).issue(t, dir, "a")
	good := Options{Node: "a", Peers: []Peer{{"a", "127.0.0.1:1"}}, Credentials: credentials}
	log := slog.New(slog.DiscardHandler)
	if _, err := New(good, log); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Options){
		"not among the peers": func(o *Options) { o.Node = "b" },
		"twice":               func(o *Options) { o.Peers = append(o.Peers, o.Peers...) },
		"too quick":           func(o *Options) { o.Heartbeat = time.Millisecond },
	} {
		o := good
		spoil(&o)
		if _, err := New(o, log); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
	for _, text := range []string{"a", "=h:1", "a=", "a=:1"} {
		if _, err := ParsePeers([]string{text}); !errors.Is(err, ErrInvalid) {
			t.Errorf("peer %q: error %v, want ErrInvalid", text, err)
		}
	}
	want := []Peer{{"a", "192.0.2.1:9647"}, {"b", "[2001:db8::1]:1"}, {"c", "[2001:db8::2]:9647"}}
	if got, err := ParsePeers([]string{"a=192.0.2.1", "b=[2001:db8::1]:1", "c=2001:db8::2"}); err != nil || !slices.Equal(got, want) {
		t.Errorf("peers %v, error %v", got, err)
	}
}
