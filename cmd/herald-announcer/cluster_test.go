package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/nodesocket"
)

// cluster is a segment with nodes, on each an announcer and an agent's word, and
// a client.
type cluster struct {
	t         *testing.T
	sw        *l2test.Host
	client    *l2test.Host
	program   string
	addresses []netip.Addr
	nodes     map[string]*node
	changed   chan struct{}
}

type node struct {
	*l2test.Host
	name    string
	mac     frame.MAC
	socket  string
	hosts   string // stands in the place of /etc/hosts, if not empty
	process *exec.Cmd
	agent   *nodesocket.Client
	changed chan struct{}

	said said

	mu       sync.Mutex
	statuses map[netip.Addr]announcer.Status
	view     announcer.View
}

// said is what a process wrote on its standard error.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) contains(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

// newCluster makes a cluster with so many addresses, of both families.
func newCluster(t *testing.T, nodes, addresses int) *cluster {
	t.Helper()
	c := &cluster{
		t: t, sw: l2test.Here(t), client: l2test.NewHost(t), program: program(t),
		nodes: make(map[string]*node), changed: make(chan struct{}, 1),
	}
	if err := c.sw.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.sw.Delete(t, "br0") })
	c.sw.Up(t, "br0")
	c.plug(c.client, "client")
	c.client.Address(t, "eth0", "10.0.0.99/8", "2001:db8::99/64")
	v4, v6 := netip.MustParseAddr("10.1.0.0"), netip.MustParseAddr("2001:db8::1:0")
	for len(c.addresses) < addresses {
		c.addresses = append(c.addresses, v4, v6)
		v4, v6 = v4.Next(), v6.Next()
	}
	for i := range nodes {
		n := &node{Host: l2test.NewHost(t), name: fmt.Sprintf("node-%d", i+1), changed: c.changed, socket: filepath.Join(t.TempDir(), "a.sock")}
		c.plug(n.Host, n.name)
		n.Address(t, "eth0", fmt.Sprintf("10.0.0.%d/8", i+1), fmt.Sprintf("2001:db8::%d/64", i+1))
		n.mac = n.MAC(t, "eth0")
		c.nodes[n.name] = n
	}
	return c
}

// plug connects eth0 of a host to the switch.
func (c *cluster) plug(h *l2test.Host, port string) {
	c.t.Helper()
	h.Sysctl(c.t, "net/ipv6/conf/default/accept_dad", "0")
	l2test.Cable(c.t, c.sw, port, h, "eth0")
	if err := c.sw.LinkSetMaster(c.sw.Link(c.t, port), c.sw.Link(c.t, "br0")); err != nil {
		c.t.Fatal(err)
	}
}

// start starts the announcer of a node, and an agent that tells it all addresses.
func (c *cluster) start(name string) {
	c.t.Helper()
	n := c.nodes[name]
	n.run(c.t, c.program)
	n.agent = nodesocket.NewClient(n.socket, n, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.agent.Run(ctx) }()
	c.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
	})
	err := n.agent.Facts(announcer.Facts{Cluster: "test", Nodes: len(c.nodes)})
	for _, a := range c.addresses {
		err = errors.Join(err, n.agent.Put(candidacy(a)))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	n.agent.Synced()
}

// run starts the announcer.
func (n *node) run(t *testing.T, program string, args ...string) {
	t.Helper()
	args = append(args, "--socket", n.socket, "--node-name", n.name)
	n.process = exec.Command(program, args...)
	if n.hosts != "" {
		script := `mount --bind "$0" /etc/hosts && exec "$@"`
		n.process = exec.Command("sh", append([]string{"-c", script, n.hosts, program}, args...)...)
		n.process.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}
	n.process.Stderr = io.MultiWriter(t.Output(), &n.said)
	n.Do(t, n.process.Start)
	process := n.process
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
}

// Reset, Away, Observe, ObserveSamples and ObserveView implement
// nodesocket.Observer.
func (n *node) Reset() {
	n.mu.Lock()
	n.statuses = make(map[netip.Addr]announcer.Status)
	n.mu.Unlock()
}

func (n *node) Away() {}

func (n *node) Observe(s announcer.Status) {
	n.mu.Lock()
	n.statuses[s.Address] = s
	n.mu.Unlock()
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

func (n *node) ObserveSamples([]announcer.Sample) {}

func (n *node) ObserveView(v announcer.View) {
	n.mu.Lock()
	n.view = v
	n.mu.Unlock()
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// status returns what a node said last of an address.
func (n *node) status(addr netip.Addr) announcer.Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.statuses[addr]
}

// seen returns how a node sees the others.
func (n *node) seen() announcer.View {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.view
}

// owned returns the addresses that a node says it announces.
func (n *node) owned() []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []netip.Addr
	for addr, s := range n.statuses {
		if s.State == announcer.Announced {
			all = append(all, addr)
		}
	}
	return all
}

// owners waits until each address is announced by one of the nodes, and all agree
// by whom. It returns how many each has.
func (c *cluster) owners(names ...string) (counts map[string]int) {
	c.t.Helper()
	c.await(fmt.Sprintf("one owner of each of %d addresses on %v", len(c.addresses), names), func() (settled bool) {
		counts, settled = c.count(names)
		return settled
	})
	return counts
}

// await waits until what the announcers say is as wanted.
func (c *cluster) await(what string, is func() bool) {
	c.t.Helper()
	timeout := time.After(l2test.Patience)
	for !is() {
		select {
		case <-c.changed:
		case <-timeout:
			c.t.Fatalf("waited for %s", what)
		}
	}
}

func (c *cluster) count(names []string) (map[string]int, bool) {
	counts, owners := make(map[string]int), make(map[netip.Addr]string)
	for _, name := range names {
		owned := c.nodes[name].owned()
		counts[name] = len(owned)
		for _, addr := range owned {
			owners[addr] += name
		}
	}
	for _, addr := range c.addresses {
		if !slices.Contains(names, owners[addr]) {
			return counts, false
		}
		for _, name := range names {
			if c.nodes[name].status(addr).Owner != owners[addr] {
				return counts, false
			}
		}
	}
	return counts, true
}

// answers checks that the client finds addresses at a node.
func (c *cluster) answers(addrs []netip.Addr, at string) {
	c.t.Helper()
	for _, addr := range addrs {
		c.client.Talk(c.t, addr)
		c.client.WaitNeighbor(c.t, addr, c.nodes[at].mac, known)
	}
}

// known are the states in which a kernel uses an entry of its neighbour table.
const known = netlink.NUD_REACHABLE | netlink.NUD_STALE | netlink.NUD_DELAY | netlink.NUD_PROBE

// The announcers of three nodes settle who has what; of one that is killed, and
// of one that leaves, the others take all; who comes back takes nothing.
func TestCluster(t *testing.T) {
	c := newCluster(t, 3, 40)
	for name := range c.nodes {
		c.start(name)
	}
	before := c.owners("node-1", "node-2", "node-3")
	t.Logf("at first: %v", before)
	for name, count := range before {
		if count == 0 {
			t.Errorf("%s owns nothing", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.nodes)) {
		c.answers(c.nodes[name].owned()[:1], name)
	}

	// Killed, the link with it.
	lost := c.nodes["node-1"].owned()
	c.sw.Down(t, "node-1")
	if err := c.nodes["node-1"].process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	after := c.owners("node-2", "node-3")
	t.Logf("without node-1: %v", after)
	for _, name := range []string{"node-2", "node-3"} {
		taken := slices.DeleteFunc(c.nodes[name].owned(), func(a netip.Addr) bool { return !slices.Contains(lost, a) })
		c.answers(taken, name)
	}

	// Back, and with nothing.
	c.sw.Up(t, "node-1")
	c.nodes["node-1"].run(t, c.program)
	back := c.owners("node-1", "node-2", "node-3")
	if back["node-1"] != 0 || back["node-2"] != after["node-2"] {
		t.Errorf("after the return: %v, before: %v", back, after)
	}

	// Told to end, it hands over, and ends well.
	if err := c.nodes["node-2"].process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.nodes["node-2"].process.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	t.Logf("without node-2: %v", c.owners("node-1", "node-3"))
}

// Two parts of a segment each have all addresses; joined again, each address has
// one owner, and the client knows which.
func TestPartition(t *testing.T) {
	c := newCluster(t, 2, 20)
	for name := range c.nodes {
		c.start(name)
	}
	c.owners("node-1", "node-2")
	if err := c.sw.LinkSetNoMaster(c.sw.Link(t, "node-1")); err != nil {
		t.Fatal(err)
	}
	c.owners("node-1")
	c.owners("node-2")
	c.answers(c.addresses, "node-2")
	start := time.Now()
	if err := c.sw.LinkSetMaster(c.sw.Link(t, "node-1"), c.sw.Link(t, "br0")); err != nil {
		t.Fatal(err)
	}
	counts := c.owners("node-1", "node-2")
	t.Logf("healed within %s: %v", time.Since(start), counts)
	if counts["node-1"] == 0 || counts["node-2"] == 0 {
		t.Errorf("all went to one: %v", counts)
	}
	for name, n := range c.nodes {
		for _, addr := range n.owned() {
			c.client.WaitNeighbor(t, addr, c.nodes[name].mac, known)
		}
	}
}

// A stranger has an address. The node that claimed it dies before its agent could tell the
// others of it: the next finds the stranger itself, and says nothing. What a node
// answered for, its successor answers for at once.
func TestStranger(t *testing.T) {
	for i, family := range []struct {
		name string
		bits int
	}{{"IPv4", 8}, {"IPv6", 64}} {
		t.Run(family.name, func(t *testing.T) {
			c := newCluster(t, 2, 2)
			addr := c.addresses[i]
			c.addresses = []netip.Addr{addr}
			taken := netip.PrefixFrom(addr, family.bits).String()
			c.client.Address(t, "eth0", taken)
			wire := c.listen(addr)
			for name := range c.nodes {
				c.start(name)
			}
			first := c.conflict(addr, "node-1", "node-2")
			second := c.other(first)
			c.awaitStandby(addr, second, first)

			c.kill(first)
			c.conflict(addr, second)
			for range 2 { // the stranger answers the first of each attempt
				wire.Wait(t, "a probe", func(m *frame.Message) bool {
					if m.Uses == addr {
						t.Errorf("%s said that it has %s", m.From, addr)
					}
					return m.Asks == addr && m.From == c.nodes[second].mac
				})
			}

			c.client.NoAddress(t, "eth0", taken)
			c.owners(second)
			c.nodes[first].run(t, c.program)
			c.awaitStandby(addr, first, second)
			c.awaitAnnouncements(wire, addr, second)
			c.client.Address(t, "eth0", taken)
			c.kill(second)
			c.owners(first)
		})
	}
}

// conflict waits until one of the nodes says that a stranger has an address.
func (c *cluster) conflict(addr netip.Addr, names ...string) (by string) {
	c.t.Helper()
	c.await("a conflict over "+addr.String(), func() bool {
		i := slices.IndexFunc(names, func(name string) bool { return c.nodes[name].status(addr).State == announcer.Conflict })
		if i >= 0 {
			by = names[i]
		}
		return i >= 0
	})
	return by
}

// awaitStandby waits until a node has heard that another has an address.
func (c *cluster) awaitStandby(addr netip.Addr, name, owner string) {
	c.t.Helper()
	c.await(name+" to hear of "+owner, func() bool {
		s := c.nodes[name].status(addr)
		return s.State == announcer.Standby && s.Owner == owner
	})
}

// awaitAnnouncements waits until a node has repeated its announcement: by then,
// the others know of it.
func (c *cluster) awaitAnnouncements(wire *listener, addr netip.Addr, by string) {
	c.t.Helper()
	for range 3 {
		wire.Wait(c.t, "an announcement", func(m *frame.Message) bool { return m.Uses == addr && m.From == c.nodes[by].mac })
	}
}

func (c *cluster) kill(name string) {
	c.t.Helper()
	if err := c.nodes[name].process.Process.Kill(); err != nil {
		c.t.Fatal(err)
	}
	_ = c.nodes[name].process.Wait()
}

func (c *cluster) other(name string) string {
	for other := range c.nodes {
		if other != name {
			return other
		}
	}
	return ""
}

// listener hears at the client what is said of addresses of a family.
type listener struct {
	*l2test.Tap
	parse func([]byte, *frame.Message) frame.Fault
}

func (c *cluster) listen(addr netip.Addr) *listener {
	c.t.Helper()
	if addr.Is4() {
		return &listener{c.client.Tap(c.t, "eth0", frame.ARP{}.EtherType()), frame.ARP{}.Parse}
	}
	return &listener{c.client.Tap(c.t, "eth0", frame.NDP{}.EtherType()), frame.NDP{}.Parse}
}

// Wait waits for the message that is looked for.
func (l *listener) Wait(t *testing.T, what string, is func(*frame.Message) bool) {
	t.Helper()
	l.Tap.Wait(t, what, func(b []byte) bool {
		var m frame.Message
		return l.parse(b, &m) == frame.None && is(&m)
	})
}

// A node that hears nobody, and whose agent reaches no API server, is silent; the
// other has all.
func TestIsolation(t *testing.T) {
	c := newCluster(t, 2, 20)
	for name := range c.nodes {
		c.start(name)
	}
	c.owners("node-1", "node-2")
	if err := c.sw.LinkSetNoMaster(c.sw.Link(t, "node-1")); err != nil {
		t.Fatal(err)
	}
	c.await("node-1 to be alone", func() bool { return c.nodes["node-1"].seen().Alone })
	if err := c.nodes["node-1"].agent.Facts(announcer.Facts{Cluster: "test", Nodes: 2, CutOff: true}); err != nil {
		t.Fatal(err)
	}
	c.await("node-1 to withdraw", func() bool { return c.nodes["node-1"].seen().Isolated && len(c.nodes["node-1"].owned()) == 0 })
	c.owners("node-2")
	if err := c.sw.LinkSetMaster(c.sw.Link(t, "node-1"), c.sw.Link(t, "br0")); err != nil {
		t.Fatal(err)
	}
	c.await("node-1 to be back", func() bool { return !c.nodes["node-1"].seen().Isolated })
	if counts := c.owners("node-1", "node-2"); counts["node-1"] != 0 {
		t.Errorf("who was cut off took addresses back: %v", counts)
	}
}
