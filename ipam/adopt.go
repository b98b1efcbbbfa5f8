package ipam

import (
	"net/netip"
	"slices"
)

// Adopt records that the owner holds r.Addresses, beside what it holds already,
// with r.Ports and r.Sharing. It is for what a status tells: nothing is refused,
// be it outside of every pool or held by another, but conflicts over any address
// of the owner are returned. Families and Required are ignored, and so are zero
// addresses; zones and IPv4-mapped forms are stripped.
func (a *Allocator) Adopt(r Request) []Conflict {
	a.mu.Lock()
	defer a.mu.Unlock()

	t := a.acquire(&r)
	defer a.release(t)
	first := a.holdings.ofOwner(t.namespace, r.Owner.Name)
	for i := range a.holdings.siblings(first) {
		a.reterm(i, t)
	}
	for _, address := range r.Addresses {
		if address.IsValid() && !a.has(first, fromAddr(address)) {
			i := a.hold(fromAddr(address), r.Owner.Name, t)
			first = a.holdings.append(first, i)
			a.freed++ // the owner may ask for no more than to keep it
		}
	}
	return a.conflicts(first)
}

// has reports whether the owner holds the address.
func (a *Allocator) has(first uint32, address uint128) bool {
	for i := range a.holdings.siblings(first) {
		if a.holdings.at(i).address == address {
			return true
		}
	}
	return false
}

// conflicts returns the other holders that the owner may not share with.
func (a *Allocator) conflicts(first uint32) []Conflict {
	var found []Conflict
	for i := range a.holdings.siblings(first) {
		h := a.holdings.at(i)
		if a.blocker(h.address, h.terms, i) == 0 {
			continue
		}
		for other := range a.others(a.holdings.ofAddress(h.address), i) {
			detail, both := a.disagreement(h.terms, a.holdings.at(other).terms)
			if detail != "" {
				found = append(found, Conflict{h.address.addr(), a.owner(other), both, detail})
			}
		}
	}
	return found
}

// Release takes all addresses from the owner and returns them. One that was
// shared is still held by the others.
func (a *Allocator) Release(owner Owner) []netip.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()

	first := a.find(owner)
	if first == 0 {
		return nil
	}
	released := a.addresses(first)
	a.holdings.forget(first)
	for i := range a.holdings.siblings(first) {
		a.drop(i)
	}
	return released
}

// Shed takes all addresses from the owner but those to keep, and returns them.
func (a *Allocator) Shed(owner Owner, keep []netip.Addr) []netip.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()

	first := a.find(owner)
	var kept, lost []uint32
	var shed []netip.Addr
	for i := range a.holdings.siblings(first) {
		if address := a.holdings.at(i).address.addr(); slices.Contains(keep, address) {
			kept = append(kept, i)
		} else {
			lost, shed = append(lost, i), append(shed, address)
		}
	}
	switch {
	case len(lost) == 0:
		return nil
	case len(kept) == 0:
		a.holdings.forget(first)
	default:
		a.holdings.arrange(first, kept)
	}
	for _, i := range lost {
		a.drop(i)
	}
	return shed
}
