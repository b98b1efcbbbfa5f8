// Package ipam hands out addresses of pools to Services. It is pure: it has no
// clock, does no I/O, and knows nothing of Kubernetes.
//
// A pool is a set of intervals and is never enumerated, so an IPv6 /64 costs as
// much as an IPv4 /30. Allocating and releasing take time logarithmic in the
// number of pieces, intervals or words of 64 addresses, that the held addresses
// cut the pools into.
package ipam

import "sync"

// Allocator knows the pools and who holds which addresses. It is safe for
// concurrent use; each call is atomic: it does all it says or changes nothing.
type Allocator struct {
	mu sync.Mutex

	order   Order
	pools   []*pool
	byName  map[string]*pool
	regions regions

	holdings   holdings
	namespaces interner[string, *pool]
	portSets   interner[portSet, struct{}]
	sharings   interner[Sharing, *group]
	freed      uint64
}

// New returns an allocator that has no pools yet.
func New(order Order) *Allocator {
	return &Allocator{
		order:      order,
		holdings:   newHoldings(),
		namespaces: newInterner[string, *pool](),
		portSets:   newInterner[portSet, struct{}](),
		sharings:   newInterner[Sharing, *group](),
	}
}

// SetPools replaces the pools and the order. Whoever holds an address keeps it,
// also one that is in no pool any more.
func (a *Allocator) SetPools(order Order, pools []Pool) {
	a.mu.Lock()
	defer a.mu.Unlock()

	a.order = order
	a.pools = make([]*pool, len(pools))
	a.byName = make(map[string]*pool, len(pools))
	for i, p := range pools {
		a.pools[i] = newPool(p, order)
		a.byName[p.Name] = a.pools[i]
	}
	a.regions = newRegions(a.pools)
	for namespace, id := range a.namespaces.ids {
		*a.namespaces.value(id) = a.poolOf(namespace)
	}
	for _, id := range a.sharings.ids {
		*a.sharings.value(id) = nil
	}
	for i := range a.holdings.held() {
		a.take(a.holdings.at(i).address)
		a.assemble(i, 0)
	}
	a.freed++
}

// poolOf returns the pool of a namespace: its own, else the global one, or nil.
func (a *Allocator) poolOf(namespace string) *pool {
	if own, found := a.byName[namespace]; found {
		return own
	}
	return a.byName[Global]
}

// acquire interns the terms of a request. They are to be released.
func (a *Allocator) acquire(r *Request) terms {
	var few [64]byte
	ports := appendPortSet(few[:0], r.Ports)
	id, found := a.portSets.ids[portSet(ports)]
	if found {
		a.portSets.retain(id)
	} else {
		id = a.portSets.add(portSet(ports))
	}
	t := terms{
		namespace: a.namespaces.acquire(r.Owner.Namespace),
		ports:     id,
		sharing:   a.sharings.acquire(r.Sharing),
	}
	if pool := a.namespaces.value(t.namespace); *pool == nil {
		*pool = a.poolOf(r.Owner.Namespace)
	}
	return t
}

func (a *Allocator) retain(t terms) {
	a.namespaces.retain(t.namespace)
	a.portSets.retain(t.ports)
	a.sharings.retain(t.sharing)
}

func (a *Allocator) release(t terms) {
	a.namespaces.release(t.namespace)
	a.portSets.release(t.ports)
	a.sharings.release(t.sharing)
}

// hold records a holding of an address, as the only or the last holder of it.
func (a *Allocator) hold(address uint128, name string, t terms) uint32 {
	a.retain(t)
	i := a.holdings.add(address, name, t)
	if a.holdings.at(i).next == i {
		a.take(address)
	}
	a.enlist(i)
	return i
}

// drop ends a holding; the index of owners is the caller's business.
func (a *Allocator) drop(i uint32) {
	h := *a.holdings.at(i)
	a.delist(i)
	a.holdings.remove(i)
	if h.next == i {
		a.give(h.address)
	}
	a.release(h.terms)
	a.freed++
}

// reterm puts a holding on other terms of the same owner.
func (a *Allocator) reterm(i uint32, t terms) {
	h := a.holdings.at(i)
	if h.terms == t {
		return
	}
	a.delist(i)
	a.retain(t)
	a.release(h.terms)
	h.terms = t
	a.enlist(i)
	a.freed++
}

// take makes an address free in no pool.
func (a *Allocator) take(address uint128) {
	rank := a.order.rank(address)
	for _, p := range a.regions.at(rank) {
		p.stock(address.family()).take(rank)
	}
}

// give makes an address free in all pools that contain it.
func (a *Allocator) give(address uint128) {
	rank := a.order.rank(address)
	for _, p := range a.regions.at(rank) {
		p.stock(address.family()).give(rank)
	}
}
