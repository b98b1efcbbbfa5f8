package router

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/e2e/daemon"
)

// kernelRoute is a route as ip tells of it.
type kernelRoute struct {
	Gateway netip.Addr `json:"gateway"`
	Via     *struct {
		Host netip.Addr `json:"host"`
	} `json:"via"`
	NextHops []kernelRoute `json:"nexthops"`
}

// NextHops returns where a host's kernel sends packets to a prefix that has a route of its
// own, in order; none where it has not.
func NextHops(ctx context.Context, hosts daemon.Hosts, host string, prefix netip.Prefix) ([]netip.Addr, error) {
	flag := fmt.Sprintf("-%d", family(prefix.Addr()))
	output, err := run(ctx, hosts, host, "ip", flag, "-json", "route", "show", "exact", prefix.String())
	if err != nil {
		return nil, err
	}
	var routes []kernelRoute
	if err := json.Unmarshal(output, &routes); err != nil {
		return nil, fmt.Errorf("routes of %s: %w: %s", host, err, output)
	}
	hops := []netip.Addr{}
	for _, route := range routes {
		for _, hop := range append(route.NextHops, route) {
			if hop.Via != nil {
				hop.Gateway = hop.Via.Host
			}
			if hop.Gateway.IsValid() {
				hops = append(hops, hop.Gateway)
			}
		}
	}
	slices.SortFunc(hops, netip.Addr.Compare)
	return hops, nil
}
