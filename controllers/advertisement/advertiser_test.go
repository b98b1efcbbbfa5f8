package advertisement

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

// heard is a speaker that notes what it is set to.
type heard struct {
	*bgp.Speaker
	mu   sync.Mutex
	sets [][]bgp.Peer
}

func (h *heard) Set(peers []bgp.Peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sets = append(h.sets, peers)
}

// count returns how often it was set, and how many routes to in the end.
func (h *heard) count() (sets, routes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sets) > 0 {
		for _, p := range h.sets[len(h.sets)-1] {
			routes += len(p.Routes)
		}
	}
	return len(h.sets), routes
}

// begin returns an Advertiser with a configuration, and runs its loop.
func begin(t *testing.T, peers ...string) (*Advertiser, *heard) {
	t.Helper()
	a := New(Options{Node: "node", Secret: types.NamespacedName{Namespace: "n", Name: "s"}, Log: slog.New(slog.DiscardHandler)})
	h := &heard{Speaker: bgp.New(a.log, a.rouse)}
	a.speaker = h
	a.cluster.node = func(context.Context, string, node) node {
		return node{name: "node", own: []netip.Addr{addr("192.0.2.7")}}
	}
	a.cluster.event = func(*corev1.ObjectReference, string, string, string) {}
	c := &config.Config{LocalASN: 65000}
	for _, p := range peers {
		c.Peers = append(c.Peers, config.Peer{Name: p, Interface: p, ASN: 65001, Nodes: selector(t, "")})
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.loop(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	a.Configure(c)
	return a, h
}

func (a *Advertiser) put(from netip.Addr, n int) {
	for range n {
		a.Put(Address{Address: from, Holders: []Holder{{Pool: "global"}}})
		from = from.Next()
	}
}

// Nobody is told anything before all is known; then all of it at once.
func TestNothingIsToldBeforeAllIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := begin(t, "eth1", "eth2")
		a.put(addr("198.51.100.0"), 50)
		time.Sleep(time.Hour) //nolint:forbidigo // of a bubble's clock
		if sets, _ := h.count(); sets > 0 {
			t.Errorf("set %d times before it was synced", sets)
		}
		a.Synced()
		time.Sleep(time.Second) //nolint:forbidigo // of a bubble's clock
		if sets, routes := h.count(); sets != 1 || routes != 100 {
			t.Errorf("set %d times, to %d routes in the end; want once, to 100", sets, routes)
		}
	})
}

// A burst is one plan; what changes nothing is none.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := begin(t, "eth1")
		a.Synced()
		time.Sleep(time.Second) //nolint:forbidigo // of a bubble's clock
		before, _ := h.count()
		a.put(addr("10.0.0.0"), 5000)
		time.Sleep(time.Second) //nolint:forbidigo // of a bubble's clock
		if sets, routes := h.count(); sets != before+1 || routes != 5000 {
			t.Errorf("set %d times, to %d routes; want once, to 5000", sets-before, routes)
		}
		a.put(addr("10.0.0.0"), 5000)
		a.Delete(addr("192.0.2.1"))
		time.Sleep(time.Second) //nolint:forbidigo // of a bubble's clock
		if sets, _ := h.count(); sets != before+1 {
			t.Errorf("set %d times for no change", sets-before-1)
		}
		a.Delete(addr("10.0.0.0"))
		time.Sleep(time.Second) //nolint:forbidigo // of a bubble's clock
		if sets, routes := h.count(); sets != before+2 || routes != 4999 {
			t.Errorf("set %d times, to %d routes; want twice, to 4999", sets-before, routes)
		}
	})
}

// Of the Secret, only the peers whose passwords changed are others.
func TestPasswordsOfThePlan(t *testing.T) {
	p := passwords{there: true, known: map[string]string{"a": "x"}}
	peers := []config.Peer{{Name: "a", PasswordKey: "a"}, {Name: "b", PasswordKey: "b"}, {Name: "c"}}
	since := time.Unix(5, 0)
	got := withheld(peers, []bgp.Session{{Peer: "b", State: bgp.Idle, Since: since}}, p, "n/s")
	if len(got) != 1 || got[0].Peer != "b" || got[0].Since != since || got[0].Reason != `its password is not known: Secret n/s has no key "b"` {
		t.Errorf("withheld: %+v", got)
	}
	p.known["b"] = strings.Repeat("x", 81)
	if got := withheld(peers, nil, p, "n/s"); len(got) != 1 || got[0].Reason != `its password, key "b" of Secret n/s, has 81 bytes, and 80 is the most for TCP MD5` {
		t.Errorf("withheld: %+v", got)
	}
	if peers := plan(situation{selection: &selection{peers: peers}, passwords: p.known, ends: make([]end, len(peers))}); len(peers) != 2 {
		t.Errorf("planned: %+v", peers)
	}
}

// What an address's selectors and sessions come to.
func TestOutcome(t *testing.T) {
	a := New(Options{Log: slog.New(slog.DiscardHandler)})
	if o := a.Outcome(addr("192.0.2.1")); time.Since(o.Since) > time.Minute {
		t.Errorf("nothing is known yet, and has been so since %v", o.Since)
	}
	only := plainly("only")
	only.Pools, only.Peers = []string{"shop"}, []string{"down", "up"}
	a.done.selection = selectedFor(&config.Config{
		Peers:          []config.Peer{{Name: "down"}, {Name: "other"}, {Name: "up"}, {Name: "v4only"}},
		Advertisements: []config.Advertisement{only, {Name: "six", Services: selector(t, "six=true"), AggregationLength4: 32, AggregationLength6: 64, Peers: []string{"v4only"}}},
	}, nil)
	a.done.settled = time.Unix(9, 0)
	a.done.sessions = []bgp.Session{
		{Peer: "down", State: bgp.Active},
		{Peer: "other", State: bgp.Established},
		{Peer: "up", State: bgp.Established, Advertised: 3},
		{Peer: "v4only", State: bgp.Established, Advertised: 1, Withheld: 1, Withheld6: 1, Why: "the router takes no IPv6 routes on this session"},
	}
	a.addresses = held(Holder{Pool: "shop"}, "192.0.2.1")
	o := a.Outcome(addr("192.0.2.1"))
	if !slices.Equal(o.Told, []string{"up"}) || !slices.Equal(o.Silent, []string{"down"}) || o.Withheld != nil || o.Since != a.done.settled {
		t.Errorf("%+v", o)
	}
	a.addresses = held(Holder{Labels: map[string]string{"six": "true"}}, "2001:db8::1")
	if o := a.Outcome(addr("2001:db8::1")); !slices.Equal(o.Withheld, []string{"v4only"}) || o.Why == "" || o.Told != nil {
		t.Errorf("%+v", o)
	}
	a.addresses = held(Holder{Labels: map[string]string{"six": "true"}}, "192.0.2.1")
	if o := a.Outcome(addr("192.0.2.1")); !slices.Equal(o.Told, []string{"v4only"}) {
		t.Errorf("of the family that is not withheld: %+v", o)
	}
	if o := a.Outcome(addr("192.0.2.9")); o.Told != nil || o.Silent != nil {
		t.Errorf("of an address that is none to be told of: %+v", o)
	}
}

// What the kernel does not say for a moment (of a list that changed while it was read for
// one) is as it was: no session is another.
func TestLinksThatCannotBeReadAreAsTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := begin(t, "eth1")
		var fails atomic.Bool
		address := new(atomic.Value)
		address.Store(addr("198.51.100.7"))
		a.links = func() (links, error) {
			if fails.Load() {
				return links{}, unix.EINTR
			}
			return links{route: nowhere, addresses: []local{{addr: address.Load().(netip.Addr), iface: 2, name: "eth1"}}}, nil
		}
		a.Synced()
		time.Sleep(2 * time.Second) //nolint:forbidigo // of a bubble's clock
		told := func() []bgp.Peer {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.sets[len(h.sets)-1]
		}
		if hops := told()[0].NextHops; hops.V4 != addr("198.51.100.7") {
			t.Fatalf("next hops are %+v", hops)
		}
		fails.Store(true)
		a.change(func(s *stale) { s.links = true })
		time.Sleep(5 * time.Second) //nolint:forbidigo // of a bubble's clock
		a.change(func(s *stale) { s.selection = true })
		time.Sleep(5 * time.Second) //nolint:forbidigo // of a bubble's clock
		if hops := told()[0].NextHops; hops.V4 != addr("198.51.100.7") {
			t.Errorf("next hops became %+v", hops)
		}
		address.Store(addr("198.51.100.8"))
		fails.Store(false)
		time.Sleep(2 * time.Second) //nolint:forbidigo // of a bubble's clock
		if hops := told()[0].NextHops; hops.V4 != addr("198.51.100.8") {
			t.Errorf("next hops are %+v after all", hops)
		}
	})
}

// lagging is a speaker whose sessions are still those of before.
type lagging struct {
	*heard
	sessions []bgp.Session
}

func (l lagging) Sessions() []bgp.Session { return l.sessions }

// A session whose password is gone is told of once, also before it is ended: two of one
// name would spoil the metrics.
func TestASessionIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := begin(t, "eth1")
		a.speaker = lagging{h, []bgp.Session{{Peer: "eth1", State: bgp.Established}}}
		a.cluster.secret = true
		a.Configure(&config.Config{LocalASN: 65000, Peers: []config.Peer{{Name: "eth1", Interface: "eth1", ASN: 65001, PasswordKey: "gone", Nodes: selector(t, "")}}})
		a.Synced()
		time.Sleep(time.Second) //nolint:forbidigo // of a bubble's clock
		if all := a.Sessions(); len(all) != 1 {
			t.Errorf("sessions: %+v", all)
		}
	})
}

// However often links change, they are looked at once a second.
func TestLinksAreLookedAtSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := begin(t, "eth1")
		a.Synced()
		time.Sleep(time.Second) //nolint:forbidigo // of a bubble's clock
		looks, last := 0, time.Time{}
		for range 500 {
			a.change(func(s *stale) { s.links = true })
			time.Sleep(20 * time.Millisecond) //nolint:forbidigo // of a bubble's clock
			a.mu.Lock()
			if a.done.linksRead != last {
				looks, last = looks+1, a.done.linksRead
			}
			a.mu.Unlock()
		}
		if looks < 10 || looks > 11 {
			t.Errorf("%d looks in 10 s", looks)
		}
	})
}
