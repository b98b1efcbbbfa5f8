package seat

import (
	"net/netip"

	"github.com/heraldlb/herald/announcer"
)

// counts are what others may ask for.
type counts struct {
	held                      []netip.Addr
	taken, expired, conflicts uint64
}

func (s *Seat) count(change func(*counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counts)
}

// Held returns the VIPs that are on an interface.
func (s *Seat) Held() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.held
}

// Samples returns all metrics.
func (s *Seat) Samples() []announcer.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var v4, v6 float64
	for _, vip := range s.counts.held {
		if vip.Is4() {
			v4++
		} else {
			v6++
		}
	}
	return []announcer.Sample{
		{Metric: "herald_controlplane_vip_held", Family: "IPv4", Value: v4},
		{Metric: "herald_controlplane_vip_held", Family: "IPv6", Value: v6},
		{Metric: "herald_controlplane_vip_taken_total", Value: float64(s.counts.taken)},
		{Metric: "herald_controlplane_vip_expired_total", Value: float64(s.counts.expired)},
		{Metric: "herald_controlplane_vip_conflicts_total", Value: float64(s.counts.conflicts)},
	}
}
