package announcement

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/osrg/gobgp/v4/api"
	"github.com/osrg/gobgp/v4/pkg/apiutil"
	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/osrg/gobgp/v4/pkg/server"
	corev1 "k8s.io/api/core/v1"
)

const (
	nodesASN  = 4200000001
	routerASN = 65010
)

// router is GoBGP's whole server on a loopback address, which waits for the nodes to
// connect. A process has one at a time, since it keeps settings in package variables.
type router struct {
	*server.BgpServer
	t    *testing.T
	addr netip.Addr
	port int

	mu      sync.Mutex
	changed chan struct{}
	// paths are those to each prefix, by the address of the node that told.
	paths map[netip.Prefix]map[netip.Addr]*apiutil.Path
	// up are the nodes that there is a session with, ended counts sessions that ended.
	up    map[netip.Addr]bool
	ended map[netip.Addr]int
}

// newRouter starts one, which is gone after the test.
func newRouter(t *testing.T) *router {
	t.Helper()
	r := &router{
		BgpServer: server.NewBgpServer(server.LoggerOption(slog.New(slog.DiscardHandler), nil)),
		t:         t, addr: addr("127.0.7.1"), changed: make(chan struct{}),
		paths: make(map[netip.Prefix]map[netip.Addr]*apiutil.Path), up: make(map[netip.Addr]bool), ended: make(map[netip.Addr]int),
	}
	listener, err := net.Listen("tcp", netip.AddrPortFrom(r.addr, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	r.port = listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	go r.Serve()
	r.do(r.StartBgp(t.Context(), &api.StartBgpRequest{Global: &api.Global{
		Asn: routerASN, RouterId: "10.255.7.1", ListenPort: int32(r.port), ListenAddresses: []string{r.addr.String()},
	}}))
	t.Cleanup(r.Stop)
	r.do(r.WatchEvent(context.WithoutCancel(t.Context()), server.WatchEventMessageCallbacks{
		OnPathUpdate: r.learn, OnPeerUpdate: r.hear,
	}, server.WatchUpdate(false, "", ""), server.WatchPeer()))
	return r
}

func (r *router) do(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// endOf is node number n's end of its session.
func endOf(n int) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 7, byte(10 + n)}) }

// neighbor has the router take a session from node number n.
func (r *router) neighbor(n int, password string) {
	r.t.Helper()
	peer := &api.Peer{
		Conf:            &api.PeerConf{NeighborAddress: endOf(n).String(), PeerAsn: nodesASN, AuthPassword: password},
		Transport:       &api.Transport{PassiveMode: true, LocalAddress: r.addr.String()},
		GracefulRestart: &api.GracefulRestart{Enabled: true, RestartTime: 60},
	}
	for _, family := range []packet.Family{packet.RF_IPv4_UC, packet.RF_IPv6_UC} {
		peer.AfiSafis = append(peer.AfiSafis, &api.AfiSafi{
			Config:            &api.AfiSafiConfig{Family: apiutil.ToApiFamily(family.Afi(), family.Safi()), Enabled: true},
			MpGracefulRestart: &api.MpGracefulRestart{Config: &api.MpGracefulRestartConfig{Enabled: true}},
		})
	}
	r.do(r.AddPeer(r.t.Context(), &api.AddPeerRequest{Peer: peer}))
}

// refuse has the router take no more sessions from node number n.
func (r *router) refuse(n int) {
	r.t.Helper()
	r.do(r.DisablePeer(r.t.Context(), &api.DisablePeerRequest{Address: endOf(n).String()}))
}

func (r *router) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *router) learn(paths []*apiutil.Path, _ time.Time) {
	r.change(func() {
		for _, p := range paths {
			prefix, err := netip.ParsePrefix(p.Nlri.String())
			if err != nil {
				continue // the end of the RIB
			}
			if r.paths[prefix] == nil {
				r.paths[prefix] = make(map[netip.Addr]*apiutil.Path)
			}
			if p.Withdrawal {
				delete(r.paths[prefix], p.PeerAddress)
			} else {
				r.paths[prefix][p.PeerAddress] = p
			}
		}
	})
}

func (r *router) hear(event *apiutil.WatchEventMessage_PeerEvent, _ time.Time) {
	r.change(func() {
		node := event.Peer.State.NeighborAddress
		up := event.Peer.State.SessionState == packet.BGP_FSM_ESTABLISHED
		if r.up[node] && !up {
			r.ended[node]++
			for _, paths := range r.paths {
				delete(paths, node)
			}
		}
		r.up[node] = up
	})
}

// await waits until ok, which is called with the router locked.
func (r *router) await(what string, ok func() bool) {
	r.t.Helper()
	timeout := time.After(patience)
	for {
		r.mu.Lock()
		done, changed := ok(), r.changed
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("waited in vain for %s; there is %v, up %v", what, r.told(), r.up)
		}
	}
}

// told are the prefixes that nodes told, each with the nodes by number.
func (r *router) told() map[string][]int {
	all := make(map[string][]int)
	for prefix, paths := range r.paths {
		for node := range paths {
			all[prefix.String()] = append(all[prefix.String()], int(node.As4()[3])-10)
		}
		slices.Sort(all[prefix.String()])
	}
	for prefix, nodes := range all {
		if len(nodes) == 0 {
			delete(all, prefix)
		}
	}
	return all
}

// awaitTold waits until the router was told of a prefix by these nodes, and no others.
func (r *router) awaitTold(prefix string, nodes ...int) {
	r.t.Helper()
	r.await(fmt.Sprintf("%s from the nodes %v", prefix, nodes), func() bool { return slices.Equal(r.told()[prefix], nodes) })
}

// losses is how many sessions with a node ended.
func (r *router) losses(node int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended[endOf(node)]
}

// yaml is bgp.yaml with the router in it, and what more there is to say of it and beyond.
func (r *router) yaml(ofPeer, beyond string) string {
	return fmt.Sprintf(`localASN: %d
peers:
  - name: rtr
    address: %s
    port: %d
    asn: %d
    connectTime: 1s
%s
%s`, nodesASN, r.addr, r.port, routerASN, ofPeer, beyond)
}

// bgpNode creates the Node of number n, with its end of sessions in an annotation.
func (c *cluster) bgpNode(n int) {
	c.t.Helper()
	node := c.node(nodeName(n))
	c.patch(node, func() {
		node.Annotations = map[string]string{"heraldlb.io/bgp-source-address": endOf(n).String()}
	})
	c.patchStatus(node, func() {
		node.Status.Addresses = []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("192.0.2.%d", 10+n)},
			{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("2001:db8::%d", 10+n)},
		}
	})
}

func nodeName(n int) string { return fmt.Sprintf("node-%d", n) }

// bgpHosts creates Nodes with these numbers, each with an announcer and an agent, as
// neighbors of the router.
func (c *cluster) bgpHosts(r *router, numbers ...int) map[int]*host {
	c.t.Helper()
	hosts := make(map[int]*host)
	for _, n := range numbers {
		c.bgpNode(n)
		r.neighbor(n, "")
	}
	for _, n := range numbers {
		hosts[n] = c.host(nodeName(n))
	}
	return hosts
}

// byBGP are pools that are announced by BGP alone.
func (r *router) byBGP() map[string]string {
	return map[string]string{
		"cidr-global": "198.51.100.0/24, 2001:db8:f::/64", "announce-global": "bgp", "bgp.yaml": r.yaml("", ""),
	}
}
