package bgp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/osrg/gobgp/v4/api"
	"github.com/osrg/gobgp/v4/pkg/apiutil"
	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/osrg/gobgp/v4/pkg/server"
)

// gobgp is a router: GoBGP's whole server, on a loopback address. A process has one at a
// time, since it keeps settings in package variables.
type gobgp struct {
	*server.BgpServer
	port uint16

	mu      sync.Mutex
	table   map[netip.Prefix]*apiutil.Path
	state   packet.FSMState
	changes chan struct{}
}

// neighbor is this node, as the router has it configured.
type neighbor struct {
	asn      uint32
	password string
	families []*api.Family
}

var (
	node, nodeV6     = netip.MustParseAddr("127.0.4.1"), netip.MustParseAddr("::1")
	router4, router6 = netip.MustParseAddr("127.0.4.2"), netip.MustParseAddr("::1")
)

const (
	nodeASN   = 4200000001
	routerASN = 65010
)

// newRouter starts a router with one neighbor, which is gone after the test.
func newRouter(t testing.TB, at, of netip.Addr, n neighbor) *gobgp {
	t.Helper()
	r := &gobgp{
		port: freePort(t, at), table: make(map[netip.Prefix]*apiutil.Path), changes: make(chan struct{}, 1),
		BgpServer: server.NewBgpServer(server.LoggerOption(slog.New(slog.DiscardHandler), nil)),
	}
	go r.Serve()
	must(t, r.StartBgp(t.Context(), &api.StartBgpRequest{Global: &api.Global{
		Asn: routerASN, RouterId: "10.255.0.2", ListenPort: int32(r.port), ListenAddresses: []string{at.String()},
	}}))
	t.Cleanup(r.Stop)
	must(t, r.WatchEvent(context.WithoutCancel(t.Context()), server.WatchEventMessageCallbacks{
		OnBestPath:   func(paths []*apiutil.Path, _ time.Time) { r.learn(paths) },
		OnPeerUpdate: r.hear,
	}, server.WatchBestPath(false), server.WatchPeer()))
	peer := &api.Peer{
		Conf:      &api.PeerConf{NeighborAddress: of.String(), PeerAsn: n.asn, AuthPassword: n.password},
		Transport: &api.Transport{PassiveMode: true, LocalAddress: at.String()},
	}
	for _, family := range n.families {
		peer.AfiSafis = append(peer.AfiSafis, &api.AfiSafi{
			Config: &api.AfiSafiConfig{Family: family, Enabled: true},
		})
	}
	must(t, r.AddPeer(t.Context(), &api.AddPeerRequest{Peer: peer}))
	return r
}

var v4Only, both = []*api.Family{apiutil.ToApiFamily(packet.AFI_IP, packet.SAFI_UNICAST)},
	[]*api.Family{apiutil.ToApiFamily(packet.AFI_IP, packet.SAFI_UNICAST), apiutil.ToApiFamily(packet.AFI_IP6, packet.SAFI_UNICAST)}

func (r *gobgp) learn(paths []*apiutil.Path) {
	r.mu.Lock()
	for _, p := range paths {
		prefix := netip.MustParsePrefix(p.Nlri.String())
		if p.Withdrawal {
			delete(r.table, prefix)
		} else {
			r.table[prefix] = p
		}
	}
	r.mu.Unlock()
	signal(r.changes)
}

func (r *gobgp) hear(event *apiutil.WatchEventMessage_PeerEvent, _ time.Time) {
	r.mu.Lock()
	r.state = event.Peer.State.SessionState
	r.mu.Unlock()
	signal(r.changes)
}

// await waits until the router's table satisfies a condition.
func (r *gobgp) await(t testing.TB, what string, holds func(map[netip.Prefix]*apiutil.Path) bool) {
	t.Helper()
	await(t, r.changes, what, func() (bool, any) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return holds(r.table), fmt.Sprintf("%d routes, %v", len(r.table), r.state)
	})
}

// path is the router's to a prefix.
func (r *gobgp) path(t testing.TB, prefix string) map[packet.BGPAttrType]packet.PathAttributeInterface {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	attributes := make(map[packet.BGPAttrType]packet.PathAttributeInterface)
	p := r.table[netip.MustParsePrefix(prefix)]
	if p == nil {
		t.Fatalf("%s is not in the router's table", prefix)
	}
	for _, a := range p.Attrs {
		attributes[a.GetType()] = a
	}
	return attributes
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// await waits for a condition, which is asked after each change; it fails the test with
// what there is instead.
func await(t testing.TB, changes <-chan struct{}, what string, holds func() (bool, any)) {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		ok, instead := holds()
		if ok {
			return
		}
		select {
		case <-changes:
		case <-late.C:
			t.Fatalf("%s: did not come; there is %+v", what, instead)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func freePort(t testing.TB, at netip.Addr) uint16 {
	t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	must(t, err)
	defer func() { must(t, l.Close()) }()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}
