package membership

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
)

func TestMain(m *testing.M) {
	if node := os.Getenv(childNode); node != "" {
		os.Exit(childMain(node))
	}
	flag.Bool("update", false, "write the transcripts anew")
	flag.Parse()
	// As in the announcer: a thread that wakes finds a P.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 8))
	l2test.Main(m)
}

// segment is a switch, with hosts at it.
type network struct {
	sw    *l2test.Host
	hosts int
}

const bridgeName = "br0"

// newNetwork makes a switch that is this process's own namespace.
func newNetwork(t testing.TB) *network {
	t.Helper()
	n := &network{sw: l2test.Here(t)}
	must(t, n.sw.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}}))
	t.Cleanup(func() { n.sw.Delete(t, bridgeName) })
	n.sw.Up(t, bridgeName)
	return n
}

// host makes a host with eth0 at the switch, with addresses of the families that
// are asked for. Its port there is p1 for the first, and so on.
func (n *network) host(t testing.TB, families ...string) *l2test.Host {
	t.Helper()
	n.hosts++
	h := l2test.NewHost(t)
	h.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	port := fmt.Sprintf("p%d", n.hosts)
	l2test.Cable(t, n.sw, port, h, "eth0")
	must(t, n.sw.LinkSetMaster(n.sw.Link(t, port), n.sw.Link(t, bridgeName)))
	for _, f := range families {
		h.Address(t, "eth0", fmt.Sprintf(addressPattern(f), n.hosts))
		if f == v6 { // it is heard from one address from the first heartbeat on
			h.WaitLinkLocal(t, "eth0")
		}
	}
	return h
}

const (
	v4 = "IPv4"
	v6 = "IPv6"
)

func addressPattern(family string) string {
	if family == v4 {
		return "192.0.2.%d/24"
	}
	return "2001:db8::%x/64"
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// interfaces are those of a host, as link.Watcher tells them.
func interfaces(t testing.TB, h *netlink.Handle) []link.Interface {
	t.Helper()
	all, err := readInterfaces(h)
	must(t, err)
	return all
}

func readInterfaces(h *netlink.Handle) ([]link.Interface, error) {
	links, err := h.LinkList()
	if err != nil {
		return nil, err
	}
	var all []link.Interface
	for _, l := range links {
		if l.Type() != "veth" {
			continue
		}
		i := link.Interface{Index: l.Attrs().Index, Name: l.Attrs().Name, Up: true}
		addresses, err := h.AddrList(l, netlink.FAMILY_ALL)
		if err != nil {
			return nil, err
		}
		for _, a := range addresses {
			ones, _ := a.Mask.Size()
			ip, _ := netip.AddrFromSlice(a.IP)
			i.Prefixes = append(i.Prefixes, netip.PrefixFrom(ip.Unmap(), ones).Masked())
		}
		all = append(all, i)
	}
	return all, nil
}

// event is what an observer was told.
type event struct {
	what    string
	id      election.ID
	peer    Peer
	reason  Reason
	digest  election.Digest
	message election.Message
	at      time.Time
	heard   time.Time
}

// station is a Membership that runs, and its observer.
type station struct {
	*Membership
	host *l2test.Host

	mu      sync.Mutex
	events  []event
	changed chan struct{}
	stop    func()
}

// fast is for tests that wait for silence.
func fast(node string) Options { return Options{Node: node, Interval: 10 * time.Millisecond} }

// newStation prepares a membership whose sockets are a host's.
func newStation(t testing.TB, h *l2test.Host, o Options) *station {
	t.Helper()
	s := &station{host: h, changed: make(chan struct{}, 1)}
	s.Membership = New(o, slog.New(slog.NewTextHandler(t.Output(), nil)).With("on", o.Node))
	s.open = opener(t, h)
	s.SetInterfaces(interfaces(t, h.Handle))
	return s
}

// opener opens sockets on a host.
func opener(t testing.TB, h *l2test.Host) func(socketOf) (int, error) {
	return func(of socketOf) (fd int, err error) {
		h.Do(t, func() error {
			fd, err = openSocket(of)
			return nil
		})
		return fd, err
	}
}

// run runs a membership on a host until the test ends, at the latest.
func run(t testing.TB, h *l2test.Host, o Options) *station {
	t.Helper()
	s := newStation(t, h, o)
	s.start(t)
	return s
}

func (s *station) start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, s) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(s.stop)
}

func (s *station) add(e event) {
	e.at = time.Now()
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Joined implements Observer.
func (s *station) Joined(p Peer) { s.add(event{what: "joined", id: p.ID, peer: p}) }

// Gone implements Observer.
func (s *station) Gone(id election.ID, why Reason, heard time.Time) {
	s.add(event{what: "gone", id: id, reason: why, heard: heard})
}

// Heard implements Observer.
func (s *station) Heard(id election.ID, d election.Digest) {
	s.add(event{what: "heard", id: id, digest: d})
}

// Received implements Observer.
func (s *station) Received(id election.ID, m election.Message) {
	s.add(event{what: "received", id: id, message: m})
}

// Renumbered implements Observer.
func (s *station) Renumbered(incarnation uint64) {
	s.add(event{what: "renumbered", id: election.ID{Node: s.options.Node, Incarnation: incarnation}})
}

// Listening implements Observer.
func (s *station) Listening(interfaces []int) {
	s.add(event{what: "listening", peer: Peer{Interfaces: interfaces}})
}

// forget drops the events so far.
func (s *station) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = nil
}

// wait waits for an event that is as wanted, and takes it.
func (s *station) wait(t testing.TB, what string, is func(event) bool) event {
	t.Helper()
	timeout := time.After(l2test.Patience)
	for {
		s.mu.Lock()
		for i, e := range s.events {
			if is(e) {
				s.events = slices.Delete(s.events, i, i+1)
				s.mu.Unlock()
				return e
			}
		}
		s.mu.Unlock()
		select {
		case <-s.changed:
		case <-timeout:
			t.Fatalf("%s waited for %s; there was %v", s.options.Node, what, s.told())
		}
	}
}

// told is what it was told, and what was dropped.
func (s *station) told() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, e := range s.events {
		fmt.Fprintf(&b, "\n%s %v %v", e.what, e.id, e.reason)
	}
	for _, m := range s.Samples() {
		if m.Reason != "" && m.Value > 0 {
			fmt.Fprintf(&b, "\n%s %s %v", m.Metric, m.Reason, m.Value)
		}
	}
	return b.String()
}

func (s *station) waitJoined(t testing.TB, node string) event {
	t.Helper()
	return s.wait(t, node+" to join", func(e event) bool { return e.what == "joined" && e.id.Node == node })
}

func (s *station) waitGone(t testing.TB, node string) event {
	t.Helper()
	return s.wait(t, node+" to be gone", func(e event) bool { return e.what == "gone" && e.id.Node == node })
}

// nobodyGone fails the test if anybody is gone, of the nodes that are named if any
// are.
func (s *station) nobodyGone(t testing.TB, nodes ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.what == "gone" && (len(nodes) == 0 || slices.Contains(nodes, e.id.Node)) {
			t.Errorf("for %s, %v is gone: %s", s.options.Node, e.id, e.reason)
		}
	}
}

// sample sums up a metric, of a reason or state if one is given.
func (s *station) sample(metric, label string) float64 {
	sum := 0.0
	for _, m := range s.Samples() {
		if m.Metric == metric && (label == "" || m.Reason == label || m.State == label) {
			sum += m.Value
		}
	}
	return sum
}
