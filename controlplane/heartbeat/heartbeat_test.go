package heartbeat

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/membership"
)

func TestMain(m *testing.M) { l2test.Main(m) }

// chair is a seat that writes down what is done with it.
type chair struct {
	mu    sync.Mutex
	did   []string
	taken bool
}

func (c *chair) note(what string, taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did, c.taken = append(c.did, what), taken
}

func (c *chair) Hold(t controlplane.Term) {
	what := "hold"
	if t.Probe {
		what += " after a probe"
	}
	if t.From != "" {
		what += " from " + t.From
	}
	c.note(what, true)
}

func (c *chair) Renew()   { c.note("renew", true) }
func (c *chair) Release() { c.note("release", false) }

func (c *chair) Vacant(context.Context) error { return nil }

// waitFor waits until just this was done since the last time.
func (c *chair) waitFor(t *testing.T, want ...string) {
	t.Helper()
	l2test.Poll(t, strings.Join(want, ", "), func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !slices.Equal(c.did, want) {
			return false
		}
		c.did = nil
		return true
	})
}

// node is an elector that runs.
type node struct {
	*Elector
	*chair
	ready chan bool
	stop  func()
}

func start(t *testing.T, name string) *node {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	watcher := link.NewWatcher(log)
	n := &node{chair: new(chair), ready: make(chan bool, 1)}
	n.Elector = New(membership.Options{Node: name, Cluster: "test", Port: 9646}, watcher.Subscribe(), log)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	watching, unwatch := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 2)
	go func() { done <- watcher.Run(watching) }()
	go func() {
		defer unwatch()
		done <- n.Run(ctx, n.ready, n.chair)
	}()
	n.stop = sync.OnceFunc(func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(n.stop)
	return n
}

// segment makes an interface with an address, and a host beyond it.
func segment(t *testing.T) {
	t.Helper()
	here, other := l2test.Here(t), l2test.NewHost(t)
	here.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	l2test.Cable(t, here, "eth0", other, "eth0")
	here.Address(t, "eth0", "192.0.2.1/24")
}

// A node stands while its API server is ready and it has a place for the VIP. Nobody says
// that the VIP was announced: it is probed for each time.
func TestStanding(t *testing.T) {
	segment(t)
	vip := netip.MustParseAddr("192.0.2.10")
	n := start(t, "a")
	n.ready <- true
	n.Place(vip, "") // nothing comes of it
	n.Place(vip, "eth0")
	n.waitFor(t, "hold after a probe")
	n.ready <- false
	n.waitFor(t, "release")
	n.ready <- true
	n.waitFor(t, "hold after a probe")
	n.Place(vip, "") // the VIP became an address of the node
	n.waitFor(t, "release")
	n.Place(vip, "eth0")
	n.waitFor(t, "hold after a probe")
	// What the name stands for changed: nobody of ours had that.
	n.Place(netip.MustParseAddr("192.0.2.11"), "eth0")
	n.waitFor(t, "release", "hold after a probe")
	if err := n.Health(); err != nil {
		t.Error(err)
	}
	n.stop()
	n.waitFor(t, "release", "release")
}

// A VIP that has no subnet here is held all the same where its interface is named.
func TestOutside(t *testing.T) {
	segment(t)
	n := start(t, "a")
	n.Place(netip.MustParseAddr("203.0.113.10"), "eth0")
	n.ready <- true
	n.waitFor(t, "hold after a probe")
}
