package ipam

import "net/netip"

// Holding returns the addresses of an owner, in the order of the families it
// asked for, and whether it has any.
func (a *Allocator) Holding(owner Owner) ([]netip.Addr, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()

	first := a.find(owner)
	return a.addresses(first), first != 0
}

// Holders returns who holds an address, in the order of joining.
func (a *Allocator) Holders(address netip.Addr) []Owner {
	a.mu.Lock()
	defer a.mu.Unlock()

	if !address.IsValid() {
		return nil
	}
	var owners []Owner
	for i := range a.holdings.holders(a.holdings.ofAddress(fromAddr(address))) {
		owners = append(owners, a.owner(i))
	}
	return owners
}

// InPool reports whether an address is in the pool of a namespace: its own, else
// the global one.
func (a *Allocator) InPool(namespace string, address netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()

	pool := a.poolOf(namespace)
	if pool == nil || !address.IsValid() {
		return false
	}
	number := fromAddr(address)
	return pool.stock(number.family()).contains(a.order.rank(number))
}

// Usage returns how far each pool is used, in the order of the pools, for the
// families it has addresses of.
func (a *Allocator) Usage() []Usage {
	a.mu.Lock()
	defer a.mu.Unlock()

	var usage []Usage
	for _, p := range a.pools {
		for _, family := range []Family{IPv4, IPv6} {
			if s := p.stock(family); len(s.ranges) > 0 {
				usage = append(usage, Usage{p.name, family, s.size, s.used})
			}
		}
	}
	return usage
}

// Freed counts the occasions at which something may have become available: an
// address or a port was given up, terms of sharing or the pools changed. While
// it stays the same, a request that was refused would be refused again.
func (a *Allocator) Freed() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()

	return a.freed
}

// find returns the first holding of an owner, or 0.
func (a *Allocator) find(owner Owner) uint32 {
	namespace, known := a.namespaces.ids[owner.Namespace]
	if !known {
		return 0
	}
	return a.holdings.ofOwner(namespace, owner.Name)
}

// addresses returns what an owner holds, beginning with first.
func (a *Allocator) addresses(first uint32) []netip.Addr {
	count := 0
	for range a.holdings.siblings(first) {
		count++
	}
	held := make([]netip.Addr, 0, count)
	for i := range a.holdings.siblings(first) {
		held = append(held, a.holdings.at(i).address.addr())
	}
	return held
}

// owner returns whose a holding is.
func (a *Allocator) owner(i uint32) Owner {
	h := a.holdings.at(i)
	return Owner{Namespace: a.namespaces.key(h.namespace), Name: a.holdings.name(i)}
}
