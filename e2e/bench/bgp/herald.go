package bgp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

const heraldService = "herald-bgp"

// Herald is this project's own.
type Herald struct {
	*failover.Herald
	site *site.Site
	pool ground.Range
	bfd  bool

	router *Router // that it tells of many
}

// NewHerald returns Herald on a site, which takes nodes for dead by BFD too or by the
// hold time alone. Many addresses are from the pool.
func NewHerald(s *site.Site, pool ground.Range, bfd bool) *Herald {
	return &Herald{Herald: failover.NewHerald(s, false), site: s, pool: pool, bfd: bfd}
}

// Start implements System. BFD begins once the sessions stand: FRR begins a first
// session that BFD precedes anew.
func (h *Herald) Start(ctx context.Context, r *Router) ([]netip.Addr, error) {
	if err := h.configure(ctx, r, "bgp", false); err != nil {
		return nil, err
	}
	// Asked for, they are those of the pool, however soon Herald knows that.
	beyond := h.site.Beyond
	addresses, err := h.site.ExposeAt(ctx, heraldService, failover.HeraldClass, h.pool.From, beyond.V6.From.Next())
	if err != nil {
		return nil, err
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	if err := r.Routed(ctx, addresses); err != nil || !h.bfd {
		return addresses, err
	}
	if err := h.configure(ctx, r, "bgp", true); err != nil {
		return nil, err
	}
	return addresses, r.Watched(ctx, addresses)
}

// configure gives the benchmark's namespace its pool and says how that is announced.
func (h *Herald) configure(ctx context.Context, r *Router, announce string, bfd bool) error {
	config := fmt.Sprintf("localASN: %d\npeers:\n- name: frr\n  address: %s\n  asn: %d\n  connectTime: 1s\n  holdTime: %s\n",
		NodesAS, r.Address(), RouterAS, HoldTime)
	if bfd {
		config += fmt.Sprintf("  bfd: {interval: %s, multiplier: %d}\n", BFDInterval, BFDMultiplier)
	}
	return h.site.SetPools(ctx, map[string]*string{
		h.key("range"):    new(fmt.Sprint(h.pool, ",", h.site.Beyond.V6)),
		h.key("announce"): new(announce),
		"bgp.yaml":        new(config),
	})
}

func (h *Herald) key(of string) string { return of + "-" + h.site.Namespace() }

// Stop implements System.
func (h *Herald) Stop(ctx context.Context) error {
	return errors.Join(h.site.Unexpose(ctx, heraldService), h.forget(ctx))
}

func (h *Herald) forget(ctx context.Context) error {
	return h.site.SetPools(ctx, map[string]*string{h.key("range"): nil, h.key("announce"): nil, "bgp.yaml": nil})
}

// Fill implements Crowd: announced on a segment that they are not of, the addresses are
// announced nowhere.
func (h *Herald) Fill(ctx context.Context, r *Router, count int) error {
	h.router = r
	if err := h.Hush(ctx); err != nil {
		return err
	}
	// That Herald knows the pool is seen by the first Service.
	if _, err := h.site.ExposeAt(ctx, heraldService, failover.HeraldClass, h.pool.To, h.site.Beyond.V6.To); err != nil {
		return err
	}
	if err := h.site.Unexpose(ctx, heraldService); err != nil {
		return err
	}
	_, err := h.site.ExposeMany(ctx, site.Many{Class: failover.HeraldClass, Family: corev1.IPv4Protocol}, 0, count)
	return err
}

// Tell implements Crowd.
func (h *Herald) Tell(ctx context.Context) error { return h.configure(ctx, h.router, "bgp", false) }

// Hush implements Crowd.
func (h *Herald) Hush(ctx context.Context) error { return h.configure(ctx, h.router, "l2", false) }

// Clear implements Crowd.
func (h *Herald) Clear(ctx context.Context) error {
	return errors.Join(h.site.UnexposeMany(ctx, failover.HeraldClass), h.forget(ctx))
}
