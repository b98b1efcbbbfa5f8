package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/anycast"
	"github.com/heraldlb/herald/controlplane/entrusted"
	"github.com/heraldlb/herald/controlplane/health"
	"github.com/heraldlb/herald/manifest/settings"
)

// newAnycast returns what tells this node's routers of the VIPs that the announcer behind
// seat has, and of nothing else. The seat does not run yet.
func newAnycast(node string, set *pflag.FlagSet, seat *entrusted.Seat, log *slog.Logger) (controlplane.Elector, error) {
	c, err := bgp.FromKubeVIP(settings.LookupBGP(set, os.LookupEnv))
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("--elector bgp needs routers: --bgppeers")
	}
	routers := advertisement.New(advertisement.Options{Node: node, Fallback: c, Metrics: prometheus.NewRegistry(), Log: log})
	routers.Alone()
	var facts announcer.Facts // one goroutine tells of both
	routers.Bind(func(paths []announcer.BFDPeer) error {
		facts.BFD = paths
		return seat.SetFacts(facts)
	}, func(interfaces []string) error {
		facts.Unnumbered = interfaces
		return seat.SetFacts(facts)
	}, func() {})
	seat.View = func(v *announcer.View) {
		if v == nil {
			routers.ForgetPaths()
			return
		}
		routers.ObservePaths(v.BFD)
	}
	return &alone{Elector: seated(seat, &vipRouters{advertiser: routers, alone: true}, log), routers: routers}, nil
}

// seated returns what fills a seat that does not run yet, and tells routers of it.
func seated(seat *entrusted.Seat, routers anycast.Routers, log *slog.Logger) *anycast.Elector {
	elector := anycast.New(routers, log)
	seat.Keep, seat.Held = true, elector.SetThere
	return elector
}

// alone is an anycast.Elector with sessions of its own.
type alone struct {
	*anycast.Elector
	routers *advertisement.Advertiser
}

// Run implements controlplane.Elector. What routers were told is withdrawn while the VIP
// is still there.
func (a *alone) Run(ctx context.Context, ready <-chan bool, seat controlplane.Seat) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.routers.Run(ctx) })
	group.Go(func() error { return a.Elector.Run(ctx, ready, seat) })
	return group.Wait()
}

// vipRouters has an Advertiser tell of VIPs.
type vipRouters struct {
	advertiser *advertisement.Advertiser
	// alone says that it tells of nothing else.
	alone bool
	told  []netip.Addr
}

// Advertise implements anycast.Routers.
func (r *vipRouters) Advertise(vips []netip.Addr) {
	for _, vip := range r.told {
		if !slices.Contains(vips, vip) {
			r.advertiser.Delete(vip)
		}
	}
	for _, vip := range vips {
		// Of no Service, and of no pool: told as bgp.yaml says for any.
		r.advertiser.Put(advertisement.Address{Address: vip, Holders: []advertisement.Holder{{}}})
	}
	r.told = vips
	if r.alone {
		r.alone = false
		r.advertiser.Synced()
	}
}

// fill has elect fill a seat while the API server that prober asks is ready, until ctx
// ends and the VIP is off.
func fill(ctx context.Context, seat *entrusted.Seat, prober *health.Prober, elect func(ctx context.Context, ready <-chan bool) error) error {
	// The announcer is told to the end of the hand-over.
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, serving := errgroup.WithContext(serving)
	group.Go(func() error { return seat.Run(serving) })
	group.Go(func() error { return prober.Run(serving) })
	group.Go(func() error {
		defer end()
		standing, stop := context.WithCancel(serving)
		defer stop()
		defer context.AfterFunc(ctx, stop)()
		return elect(standing, seat.Ready(standing, prober.Ready()))
	})
	return group.Wait()
}

// vipFlags have the agent tell its routers of the control plane's VIP too: of two sessions
// with a node, a router has one only.
type vipFlags struct {
	socket string
	port   uint16
	health health.Flags
}

func (f *vipFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.socket, "controlplane-socket", "", "Unix socket of the announcer that has the control plane's address, with --elector bgp: routers are told of that too while the API server of this host is ready")
	set.Uint16Var(&f.port, "port", 6443, "with --controlplane-socket: port of the API server")
	f.health.Register(set)
}

// run has the announcer hold the VIP, and routers told of it, until ctx ends. It needs no
// API server but to know if that is ready: by the VIP, the agent may reach it only then.
func (f *vipFlags) run(ctx context.Context, routers *advertisement.Advertiser, log *slog.Logger) error {
	if f.socket == "" {
		return nil
	}
	if err := f.health.Check(); err != nil {
		return err
	}
	prober, err := health.New(f.health.Of(f.port), log)
	if err != nil {
		return err
	}
	seat := entrusted.NewSeat(f.socket, log)
	elector := seated(seat, &vipRouters{advertiser: routers}, log)
	return fill(ctx, seat, prober, func(ctx context.Context, ready <-chan bool) error { return elector.Run(ctx, ready, seat) })
}
