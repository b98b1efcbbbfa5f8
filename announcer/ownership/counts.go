package ownership

import (
	"net/netip"

	"github.com/heraldlb/herald/announcer"
)

// counts are what there is to count.
type counts struct {
	claims4, claims6     int
	ties                 uint64
	failovers, handovers uint64
	isolations           uint64
}

// own counts an address that is owned, or one less.
func (c *counts) own(addr netip.Addr, count int) {
	if addr.Is4() {
		c.claims4 += count
	} else {
		c.claims6 += count
	}
}

// samples returns all metrics.
func (c *counts) samples() []announcer.Sample {
	return []announcer.Sample{
		{Metric: "herald_claims", Family: "IPv4", Value: float64(c.claims4)},
		{Metric: "herald_claims", Family: "IPv6", Value: float64(c.claims6)},
		{Metric: "herald_claim_ties_total", Value: float64(c.ties)},
		{Metric: "herald_failovers_total", Value: float64(c.failovers)},
		{Metric: "herald_handovers_total", Value: float64(c.handovers)},
		{Metric: "herald_isolations_total", Value: float64(c.isolations)},
	}
}
