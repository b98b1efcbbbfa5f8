package bfd

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// namespace opens sockets on a host.
type namespace struct {
	t    testing.TB
	host *l2test.Host
}

func (n namespace) listen(key portKey) (fd int, err error) {
	n.host.Do(n.t, func() error { fd, err = kernel{}.listen(key); return nil })
	return fd, err
}

func (n namespace) dial(peer announcer.BFDPeer) (fd int, err error) {
	n.host.Do(n.t, func() error { fd, err = kernel{}.dial(peer); return nil })
	return fd, err
}

func (n namespace) index(name string) (index int, err error) {
	n.host.Do(n.t, func() error { index, err = kernel{}.index(name); return nil })
	return index, err
}

// node has sessions on a host.
type node struct {
	*Sessions
	name    string
	changed chan struct{}
	stop    func()
}

// run has sessions on a host until the test ends, at the latest.
func run(t testing.TB, name string, h *l2test.Host, peers ...announcer.BFDPeer) *node {
	t.Helper()
	n := &node{Sessions: New(slog.New(slog.NewTextHandler(t.Output(), nil)).With("on", name)), name: name, changed: make(chan struct{}, 1)}
	n.host = namespace{t, h}
	n.SetPeers(peers)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- n.Run(ctx, func() {
			select {
			case n.changed <- struct{}{}:
			default:
			}
		})
	}()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(n.stop)
	return n
}

// wait waits until the first session is as wanted.
func (n *node) wait(t testing.TB, what string, is func(announcer.BFDStatus) bool) announcer.BFDStatus {
	t.Helper()
	timeout := time.After(l2test.Patience)
	for {
		if all := n.Statuses(); len(all) > 0 && is(all[0]) {
			return all[0]
		}
		select {
		case <-n.changed:
		case <-timeout:
			t.Fatalf("%s waited for %s: %+v", n.name, what, n.Statuses())
		}
	}
}

func (n *node) waitState(t testing.TB, state announcer.BFDState) announcer.BFDStatus {
	t.Helper()
	return n.wait(t, "state "+string(state), func(s announcer.BFDStatus) bool { return s.State == state })
}

// sample sums up a metric, of a reason or state if one is given.
func (n *node) sample(metric, label string) float64 {
	sum := 0.0
	for _, m := range n.Samples() {
		if m.Metric == metric && (label == "" || m.Reason == label || m.State == label) {
			sum += m.Value
		}
	}
	return sum
}

// peer is a router. It is given time, for the threads of a test may have no right to
// run in real time.
func peer(address string) announcer.BFDPeer {
	return announcer.BFDPeer{Address: netip.MustParseAddr(address), Interval: 50 * time.Millisecond, Multiplier: 10}
}

// pair is two hosts and the cable between them.
type pair struct{ a, b *l2test.Host }

func newPair(t testing.TB) pair {
	t.Helper()
	p := pair{l2test.NewHost(t), l2test.NewHost(t)}
	for _, h := range []*l2test.Host{p.a, p.b} {
		h.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	}
	l2test.Cable(t, p.a, "eth0", p.b, "eth0")
	p.a.Address(t, "eth0", "192.0.2.1/24", "2001:db8::1/64", "fe80::1/64")
	p.b.Address(t, "eth0", "192.0.2.2/24", "2001:db8::2/64", "fe80::2/64")
	return p
}

// ends are the peers of a and of b, by what is between them.
func ends() map[string][2]announcer.BFDPeer {
	all := map[string][2]announcer.BFDPeer{
		"IPv4":       {peer("192.0.2.2"), peer("192.0.2.1")},
		"IPv6":       {peer("2001:db8::2"), peer("2001:db8::1")},
		"link-local": {peer("fe80::2%eth0"), peer("fe80::1%eth0")},
	}
	sourced := all["IPv6"]
	sourced[0].Source, sourced[1].Source = sourced[1].Address, sourced[0].Address
	all["IPv6 with sources"] = sourced
	link := all["link-local"]
	link[0].Source, link[1].Source = netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::2")
	all["link-local with sources"] = link
	for _, family := range []string{"IPv4", "IPv6"} {
		far := all[family]
		far[0].Multihop, far[1].Multihop = true, true
		all[family+" multihop"] = far
	}
	return all
}

// listening counts the sockets on a host that are bound to a port of BFD.
func listening(t testing.TB, h *l2test.Host) (n int) {
	t.Helper()
	h.Do(t, func() error {
		for _, table := range []string{"udp", "udp6"} {
			b, err := os.ReadFile("/proc/thread-self/net/" + table)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(b)) {
				fields := strings.Fields(line)
				for _, port := range []int{singleHopPort, multihopPort} {
					if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
						n++
					}
				}
			}
		}
		return nil
	})
	return n
}
