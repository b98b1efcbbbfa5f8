package advertisement

import (
	"context"
	"log/slog"
	"maps"
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
)

const (
	nodeASN   = 64513
	routerASN = 64512
)

// gobgp is a router: GoBGP's whole server on a loopback address, with one neighbor. A process has
// one at a time, since it keeps settings in package variables.
type gobgp struct {
	*server.BgpServer
	at netip.AddrPort

	mu      sync.Mutex
	told    map[string]bool
	changed chan struct{}
}

func newRouter(t *testing.T, neighbor netip.Addr) *gobgp {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.8.1:0")
	must(err)
	r := &gobgp{
		BgpServer: server.NewBgpServer(server.LoggerOption(slog.New(slog.DiscardHandler), nil)),
		at:        listener.Addr().(*net.TCPAddr).AddrPort(), told: make(map[string]bool), changed: make(chan struct{}, 1),
	}
	must(listener.Close())
	go r.Serve()
	must(r.StartBgp(t.Context(), &api.StartBgpRequest{Global: &api.Global{
		Asn: routerASN, RouterId: "10.255.0.2", ListenPort: int32(r.at.Port()), ListenAddresses: []string{r.at.Addr().String()},
	}}))
	t.Cleanup(r.Stop)
	must(r.WatchEvent(context.WithoutCancel(t.Context()), server.WatchEventMessageCallbacks{
		OnBestPath: func(paths []*apiutil.Path, _ time.Time) { r.learn(paths) },
	}, server.WatchBestPath(false)))
	peer := &api.Peer{
		Conf:      &api.PeerConf{NeighborAddress: neighbor.String(), PeerAsn: nodeASN},
		Transport: &api.Transport{PassiveMode: true, LocalAddress: r.at.Addr().String()},
	}
	for _, afi := range []uint16{packet.AFI_IP, packet.AFI_IP6} {
		peer.AfiSafis = append(peer.AfiSafis, &api.AfiSafi{
			Config: &api.AfiSafiConfig{Family: apiutil.ToApiFamily(afi, packet.SAFI_UNICAST), Enabled: true},
		})
	}
	must(r.AddPeer(t.Context(), &api.AddPeerRequest{Peer: peer}))
	return r
}

func (r *gobgp) learn(paths []*apiutil.Path) {
	r.mu.Lock()
	for _, p := range paths {
		if p.Withdrawal {
			delete(r.told, p.Nlri.String())
		} else {
			r.told[p.Nlri.String()] = true
		}
	}
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// await waits until the router knows these prefixes, sorted, and no other.
func (r *gobgp) await(t *testing.T, want ...string) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		got := slices.Sorted(maps.Keys(r.told))
		r.mu.Unlock()
		if slices.Equal(got, want) {
			return
		}
		select {
		case <-r.changed:
		case <-late:
			t.Fatalf("the router knows %v, want %v", got, want)
		}
	}
}
