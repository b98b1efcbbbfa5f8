package ipam

import "iter"

// enlist enters a holding, which is new or has new terms, into the group of its
// address.
func (a *Allocator) enlist(i uint32) {
	h := a.holdings.at(i)
	rank := a.order.rank(h.address)
	alone := h.next == i
	switch {
	case alone && !a.open(h.terms):
	case !alone && !a.groupOf(a.holdings.at(h.next).terms).has(rank):
		// The others do not share it, or disagree: one more changes nothing.
	case alone || a.fits(rank, h.terms, 0):
		a.join(rank, h.terms)
	default:
		for other := range a.others(h.next, i) {
			a.leave(rank, a.holdings.at(other).terms)
		}
		a.dissolve(rank, a.holdings.at(h.next).terms)
	}
}

// delist takes a holding out of the group of its address, before it is removed
// or its terms change.
func (a *Allocator) delist(i uint32) {
	h := a.holdings.at(i)
	rank := a.order.rank(h.address)
	alone := h.next == i
	switch {
	case a.groupOf(h.terms).has(rank):
		if a.leave(rank, h.terms); alone {
			a.dissolve(rank, h.terms)
		}
	case !alone:
		a.assemble(h.next, i)
	}
}

// assemble enters the holders of an address, but for one, into a group if they
// all agree.
func (a *Allocator) assemble(first, without uint32) {
	if !a.agree(first, without) {
		return
	}
	for i := range a.others(first, without) {
		h := a.holdings.at(i)
		a.join(a.order.rank(h.address), h.terms)
	}
}

// agree reports whether the holders of an address, but for one, all share it on
// the same terms and have no port in common.
func (a *Allocator) agree(first, without uint32) bool {
	common := a.holdings.at(first).sharing
	used := make(map[port]bool)
	for i := range a.others(first, without) {
		t := a.holdings.at(i).terms
		if !a.open(t) || t.sharing != common {
			return false
		}
		for p := range a.portSets.key(t.ports).all() {
			if used[p] {
				return false
			}
			used[p] = true
		}
	}
	return true
}

// others yields the holders of an address, but for one.
func (a *Allocator) others(first, without uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := range a.holdings.holders(first) {
			if i != without && !yield(i) {
				return
			}
		}
	}
}

// join notes a holder of the address in the group of its terms.
func (a *Allocator) join(rank uint128, t terms) {
	g := a.sharings.value(t.sharing)
	if *g == nil {
		*g = newGroup()
	}
	(*g).addresses.insert(rank)
	(*g).use(rank, a.portSets.key(t.ports))
}

// leave takes back what one holder did in join.
func (a *Allocator) leave(rank uint128, t terms) {
	(*a.sharings.value(t.sharing)).disuse(rank, a.portSets.key(t.ports))
}

// dissolve takes the address out of the group after its last holder has left.
func (a *Allocator) dissolve(rank uint128, t terms) {
	g := a.sharings.value(t.sharing)
	if (*g).addresses.remove(rank); (*g).addresses.len() == 0 {
		*g = nil
	}
}
