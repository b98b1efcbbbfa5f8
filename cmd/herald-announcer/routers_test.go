package main

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/nodesocket"
)

// watch has an agent of a node ask for BFD with another node, and for its own to be known
// there, a while after it is there, until it is stopped.
func (c *cluster) watch(name, address string) (stop func()) {
	c.t.Helper()
	n := c.nodes[name]
	agent := nodesocket.NewClient(n.socket, n, slog.New(slog.DiscardHandler))
	router := announcer.BFDPeer{Address: netip.MustParseAddr(address), Interval: 50 * time.Millisecond, Multiplier: 10}
	tell := func(links []string, routers ...announcer.BFDPeer) {
		if err := agent.Facts(announcer.Facts{Cluster: "test", Nodes: 2, BFD: routers, Unnumbered: links}); err != nil {
			c.t.Fatal(err)
		}
	}
	tell(nil)
	agent.Synced()
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	done := make(chan error, 1)
	go func() { done <- agent.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
		n.mu.Lock()
		n.view = announcer.View{}
		n.mu.Unlock()
	})
	c.t.Cleanup(stop)
	c.await("a connection", func() bool { return n.seen().Node == name })
	tell([]string{"eth0"}, router)
	return stop
}

// awaitBFD waits until a node says that of its session.
func (c *cluster) awaitBFD(name string, state announcer.BFDState) (s announcer.BFDStatus) {
	c.t.Helper()
	c.await(name+" to say "+string(state), func() bool {
		if all := c.nodes[name].seen().BFD; len(all) == 1 {
			s = all[0]
		}
		return s.State == state
	})
	return s
}

// A session goes on without the agent that asked for it, ends with the announcer's
// process, and that is told from death where it is not.
func TestRouters(t *testing.T) {
	for family, addresses := range map[string][2]string{"IPv4": {"10.0.0.1", "10.0.0.2"}, "IPv6": {"2001:db8::1", "2001:db8::2"}} {
		t.Run(family, func(t *testing.T) {
			c := newCluster(t, 2, 0)
			tap := c.client.Tap(t, "eth0", unix.ETH_P_IPV6)
			one, two := c.nodes["node-1"], c.nodes["node-2"]
			one.run(t, c.program)
			two.run(t, c.program)
			stop := c.watch(one.name, addresses[1])
			c.watch(two.name, addresses[0])
			up := c.awaitBFD(one.name, announcer.BFDUp)
			c.awaitBFD(two.name, announcer.BFDUp)
			tap.Wait(t, "a router advertisement", func(b []byte) bool {
				return len(b) > 54 && [6]byte(b[6:]) == one.mac && b[20] == unix.IPPROTO_ICMPV6 && b[54] == 134
			})

			stop()
			c.watch(one.name, addresses[1])
			if s := c.awaitBFD(one.name, announcer.BFDUp); s != up {
				t.Errorf("after another agent: %+v, want %+v", s, up)
			}
			c.kill(one.name)
			if s := c.awaitBFD(two.name, announcer.BFDDown); s.Diagnostic != "Control Detection Time Expired" || s.Flaps != 1 {
				t.Errorf("after SIGKILL: %+v", s)
			}

			one.run(t, c.program)
			c.awaitBFD(two.name, announcer.BFDUp)
			if err := one.process.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := one.process.Wait(); err != nil {
				t.Errorf("after SIGTERM: %v", err)
			}
			if s := c.awaitBFD(two.name, announcer.BFDAdminDown); s.Flaps != 1 {
				t.Errorf("after SIGTERM: %+v", s)
			}
		})
	}
}
