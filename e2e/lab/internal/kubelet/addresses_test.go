package kubelet

import (
	"errors"
	"net/netip"
	"testing"
)

// TestAddressPool: every address once, the gateway never, and what is given
// back comes again last.
func TestAddressPool(t *testing.T) {
	cidrs := []netip.Prefix{netip.MustParsePrefix("10.244.3.0/24"), netip.MustParsePrefix("fd00:10:244:3::/64")}
	pool := newAddressPool(cidrs)
	seen := map[netip.Addr]bool{pool.gateways[0]: true, pool.gateways[1]: true}
	var taken [][]netip.Addr
	for {
		addresses, err := pool.take()
		if errors.Is(err, errNoAddress) {
			break
		}
		for i, address := range addresses {
			if seen[address] || !cidrs[i].Contains(address) {
				t.Errorf("%s was taken before or is not in %s", address, cidrs[i])
			}
			seen[address] = true
		}
		taken = append(taken, addresses)
	}
	if len(taken) != podsPerNode || seen[netip.MustParseAddr("10.244.3.255")] {
		t.Errorf("%d Pods, last %v", len(taken), taken[len(taken)-1])
	}
	pool.give(taken[7])
	pool.give(taken[3])
	for _, want := range [][]netip.Addr{taken[7], taken[3]} {
		if got, err := pool.take(); err != nil || got[0] != want[0] {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
}
