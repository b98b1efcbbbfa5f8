package bgp

import (
	"context"
	"errors"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/bench/peers"
	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

// MetalLB is MetalLB with its own speaker of BGP, which has no BFD and IPv4 alone.
type MetalLB struct {
	*peers.MetalLB
	site     *site.Site
	programs peers.Programs
	pool     ground.Range
}

// NewMetalLB returns MetalLB on a site, with a pool that nobody else uses.
func NewMetalLB(s *site.Site, programs peers.Programs, pool ground.Range) *MetalLB {
	return &MetalLB{site: s, programs: programs, pool: pool}
}

// Start implements System.
func (m *MetalLB) Start(ctx context.Context, r *Router) ([]netip.Addr, error) {
	m.MetalLB = m.by(r, false)
	addresses, err := m.MetalLB.Start(ctx)
	if err != nil {
		return nil, err
	}
	return addresses, r.Routed(ctx, addresses)
}

func (m *MetalLB) by(r *Router, byHand bool) *peers.MetalLB {
	return peers.NewMetalLBByBGP(m.site, m.programs, peers.Peer{
		Address: r.Address(), Local: NodesAS, Remote: RouterAS, HoldTime: HoldTime, AdvertiseByHand: byHand,
	}, m.pool.String())
}

// Fill implements Crowd.
func (m *MetalLB) Fill(ctx context.Context, r *Router, count int) error {
	m.MetalLB = m.by(r, true)
	if err := m.Install(ctx); err != nil {
		return err
	}
	_, err := m.site.ExposeMany(ctx, site.Many{Class: peers.MetalClass, Family: corev1.IPv4Protocol, Endpoint: true}, 0, count)
	return err
}

// Tell implements Crowd.
func (m *MetalLB) Tell(ctx context.Context) error { return m.Advertise(ctx) }

// Clear implements Crowd.
func (m *MetalLB) Clear(ctx context.Context) error {
	return errors.Join(m.site.UnexposeMany(ctx, peers.MetalClass), m.Uninstall(ctx))
}
