package status

import (
	"math/big"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// pools tells of each pool how much of it the Services hold. An address that
// several of them share counts once.
func pools(parsed *config.Config, services []corev1.Service) []Pool {
	used := make(map[string]map[netip.Addr]struct{})
	for i := range services {
		for _, addr := range loadbalancer.Addresses(&services[i]) {
			pool, found := parsed.Containing(addr, services[i].Namespace)
			if !found {
				continue
			}
			if used[pool.Scope] == nil {
				used[pool.Scope] = make(map[netip.Addr]struct{})
			}
			used[pool.Scope][addr] = struct{}{}
		}
	}
	var all []Pool
	for _, pool := range parsed.Pools {
		count := make(map[corev1.IPFamily]int)
		for addr := range used[pool.Scope] {
			count[loadbalancer.Family(addr)]++
		}
		ipv4, ipv6 := pool.Size()
		for _, f := range []struct {
			family corev1.IPFamily
			size   *big.Int
		}{{corev1.IPv4Protocol, ipv4}, {corev1.IPv6Protocol, ipv6}} {
			if f.size.Sign() > 0 {
				all = append(all, Pool{Scope: pool.Scope, Family: string(f.family), Size: f.size.String(), Used: count[f.family]})
			}
		}
	}
	return all
}
