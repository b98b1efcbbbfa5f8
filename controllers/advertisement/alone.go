package advertisement

import (
	"context"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	config "github.com/heraldlb/herald/config/bgp"
)

// Alone is for an Advertiser without a cluster, in the place of SetUp: it has the
// Fallback, and tells of sessions in its log. It is called before Run.
func (a *Advertiser) Alone() {
	a.cluster.alone = true
	a.cluster.event = func(*corev1.ObjectReference, string, string, string) {}
	a.cluster.node = func(_ context.Context, name string, before node) node {
		before.name = name
		if len(before.own) == 0 {
			before.own = sources(a.o.Fallback, kernelRoute)
		}
		return before // what was found stays, since routers know the node by it
	}
}

// sources are the addresses that this host reaches routers from.
func sources(c *config.Config, route func(netip.Addr) (int, netip.Addr, bool)) (all []netip.Addr) {
	for _, p := range c.Peers {
		source := p.SourceAddress
		if !source.IsValid() && p.Address.IsValid() {
			_, source, _ = route(p.Address)
		}
		if reachable(source) && !slices.Contains(all, source) {
			all = append(all, source)
		}
	}
	return all
}
