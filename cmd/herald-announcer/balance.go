package main

import (
	"context"
	"log/slog"
	"net/netip"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane/balancer"
	"github.com/heraldlb/herald/nodesocket"
)

// balance shares the connections to the VIPs that are held here out to all API servers,
// if that is asked for.
type balance struct {
	balancer *balancer.Balancer // nil: it is not asked for
	port     uint16
	log      *slog.Logger
	// static: the API servers were named, nobody else has to.
	static bool
}

func (f *flags) newBalance(log *slog.Logger) (*balance, error) {
	c := &f.controlPlane
	b := &balance{port: c.frontend(), log: log, static: len(c.backends) > 0}
	backends, err := c.staticBackends()
	if err != nil || !c.balance {
		return b, err
	}
	b.balancer = balancer.New(balancer.Options{Health: c.health.Options, Log: log})
	b.balancer.SetBackends(backends)
	return b, nil
}

// run shares out until ctx ends. Where it is not asked for, what another run left of it
// goes.
func (b *balance) run(ctx context.Context) error {
	if b.balancer != nil {
		return b.balancer.Run(ctx)
	}
	if _, err := balancer.Sweep(); err != nil {
		b.log.Debug("cannot look for what another run left of its load balancer", "error", err)
	}
	return nil
}

// held says which VIPs are held here.
func (b *balance) held(vips []netip.Addr) {
	if b.balancer == nil {
		return
	}
	frontends := make([]netip.AddrPort, 0, len(vips))
	for _, vip := range vips {
		frontends = append(frontends, netip.AddrPortFrom(vip, b.port))
	}
	b.balancer.SetFrontends(frontends)
}

// sink returns one that takes note of the API servers that it is told of.
func (b *balance) sink(next nodesocket.Sink) nodesocket.Sink {
	if b.balancer == nil || b.static {
		return next
	}
	return backends{next, b.balancer}
}

type backends struct {
	nodesocket.Sink
	balancer *balancer.Balancer
}

// Facts implements nodesocket.Sink. Who knows of no API server changes nothing.
func (b backends) Facts(f announcer.Facts) {
	if len(f.Backends) > 0 {
		b.balancer.SetBackends(f.Backends)
	}
	b.Sink.Facts(f)
}
