package advertisement

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/labels"

	config "github.com/heraldlb/herald/config/bgp"
)

// Without a cluster, an Advertiser tells a router what the fallback says, and withdraws
// it: at once, and at the end.
func TestAlone(t *testing.T) {
	at := netip.MustParseAddr("127.0.8.2")
	router := newRouter(t, at)
	a := New(Options{
		Node: "cp1", Metrics: prometheus.NewRegistry(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Fallback: &config.Config{LocalASN: nodeASN, Peers: []config.Peer{{
			Name: "router", Address: router.at.Addr(), Port: router.at.Port(), ASN: routerASN, Nodes: labels.Everything(),
			HoldTime: 30 * time.Second, KeepaliveTime: 10 * time.Second, ConnectTime: time.Second,
			SourceAddress: at, NextHop6: netip.MustParseAddr("2001:db8::11"),
		}}},
	})
	a.Alone()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	v4, v6 := netip.MustParseAddr("203.0.113.100"), netip.MustParseAddr("2001:db8:1::100")
	for _, vip := range []netip.Addr{v4, v6} {
		a.Put(Address{Address: vip, Holders: []Holder{{}}})
	}
	a.Synced()
	router.await(t, "2001:db8:1::100/128", "203.0.113.100/32")
	a.Delete(v6)
	router.await(t, "203.0.113.100/32")
	cancel()
	router.await(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
