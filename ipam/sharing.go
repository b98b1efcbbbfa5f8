package ipam

// terms are what decides with whom an address may be shared, of a holder or of a
// request, as numbers of interned values.
type terms struct{ namespace, ports, sharing uint32 }

// open reports whether an address is shared at all on these terms.
func (a *Allocator) open(t terms) bool {
	pool := *a.namespaces.value(t.namespace)
	return a.sharings.key(t.sharing).Key != "" || pool != nil && pool.share
}

// groupOf returns the group of the terms; nil if they are not open or no address
// is shared on them.
func (a *Allocator) groupOf(t terms) *group {
	if !a.open(t) {
		return nil
	}
	return *a.sharings.value(t.sharing)
}

// disagreement says why an address cannot be shared on both terms; "" if it can.
func (a *Allocator) disagreement(s, t terms) (detail string, p Port) {
	one, other := a.sharings.key(s.sharing), a.sharings.key(t.sharing)
	switch {
	case one.Key != other.Key:
		return "the sharing keys differ", Port{}
	case !a.open(s) || !a.open(t):
		return "it is not shared without a sharing key", Port{}
	case one.Backend != other.Backend:
		return "the backends differ", Port{}
	}
	if both, found := a.portSets.key(s.ports).common(a.portSets.key(t.ports)); found {
		return "both use " + both.public().String(), both.public()
	}
	return "", Port{}
}

// blocker returns a holder of the address that keeps others from it on these
// terms, or 0. self is the asker's own holding of it, or 0.
func (a *Allocator) blocker(address uint128, t terms, self uint32) uint32 {
	if self != 0 && a.holdings.at(self).next == self {
		return 0
	}
	first := a.holdings.ofAddress(address)
	if first == 0 || a.fits(a.order.rank(address), t, self) {
		return 0
	}
	for i := range a.others(first, self) {
		if detail, _ := a.disagreement(t, a.holdings.at(i).terms); detail != "" {
			return i
		}
	}
	if self == 0 {
		return first // the holders do not agree among themselves
	}
	return 0
}

// fits reports whether the address is in the group of these terms and none of
// the ports is in use there by another than self.
func (a *Allocator) fits(rank uint128, t terms, self uint32) bool {
	g := a.groupOf(t)
	if !g.has(rank) {
		return false
	}
	var own portSet
	if self != 0 {
		own = a.portSets.key(a.holdings.at(self).ports)
	}
	for p := range a.portSets.key(t.ports).all() {
		if g.uses(rank, p) && !own.has(p) {
			return false
		}
	}
	return true
}
