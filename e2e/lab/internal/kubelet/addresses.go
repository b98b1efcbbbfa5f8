package kubelet

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
)

var errNoAddress = errors.New("the node has no Pod address left")

// podsPerNode bounds the addresses of a node: what an IPv4 /24 has.
const podsPerNode = 253

// addressPool hands out Pod addresses, one of each of the node's ranges at a
// time. The first address of a range is the Pods' gateway.
type addressPool struct {
	gateways []netip.Addr

	mu   sync.Mutex
	free [][]netip.Addr // the one that was given back last is last
}

func newAddressPool(cidrs []netip.Prefix) *addressPool {
	pool := &addressPool{free: make([][]netip.Addr, podsPerNode)}
	for _, cidr := range cidrs {
		address := cidr.Masked().Addr().Next()
		pool.gateways = append(pool.gateways, address)
		for i := range pool.free {
			address = address.Next()
			pool.free[i] = append(pool.free[i], address)
		}
	}
	return pool
}

// take returns addresses of one Pod, in the order of the ranges.
func (p *addressPool) take() ([]netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return nil, errNoAddress
	}
	addresses := p.free[0]
	p.free = p.free[1:]
	return addresses, nil
}

// give takes a Pod's addresses back.
func (p *addressPool) give(addresses []netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, slices.Clone(addresses))
}
