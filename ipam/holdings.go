package ipam

import (
	"hash/maphash"
	"iter"
)

// holding is one address of one owner. With a million of them memory latency is
// the cost that counts: a holding fits a cache line of 64 bytes, lies in one
// slice, and refers to others by position in it. 0 is no position.
type holding struct {
	address uint128
	name    label // the owner's
	terms         // with the owner's namespace
	// sibling leads to the owner's next address, in a ring.
	sibling uint32
	// next and previous lead to the other holders of the address, in a ring
	// that begins with the one that joined first. next is 0 in a vacant place.
	next, previous uint32
}

// holdings finds who holds what, by owner and by address.
type holdings struct {
	all       []holding
	vacant    uint32    // the first vacant place; sibling leads to the next one
	longNames []string  // by position, "" for a name that is not too long
	byOwner   index     // the first of the owner's addresses
	byAddress directory // the first of the address's holders
	seed      maphash.Seed
}

func newHoldings() holdings {
	return holdings{
		all:       make([]holding, 1),
		longNames: make([]string, 1),
		byOwner:   newIndex(),
		byAddress: newDirectory(),
		seed:      maphash.MakeSeed(),
	}
}

func (hs *holdings) at(i uint32) *holding { return &hs.all[i] }

// ofOwner returns the first holding of an owner, or 0.
func (hs *holdings) ofOwner(namespace uint32, name string) uint32 {
	i, _ := hs.byOwner.find(hs.hashOwner(namespace, name), func(i uint32) bool {
		return hs.all[i].namespace == namespace && hs.named(i, name)
	})
	return i
}

// ofAddress returns the first holding of an address, or 0.
func (hs *holdings) ofAddress(address uint128) uint32 {
	return hs.byAddress.get(address)
}

// siblings yields the owner's holdings, beginning with i. The one yielded may be
// removed meanwhile.
func (hs *holdings) siblings(i uint32) iter.Seq[uint32] {
	return ring(i, func(i uint32) uint32 { return hs.all[i].sibling })
}

// holders yields the holdings of the same address, beginning with i.
func (hs *holdings) holders(i uint32) iter.Seq[uint32] {
	return ring(i, func(i uint32) uint32 { return hs.all[i].next })
}

func ring(first uint32, after func(uint32) uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := first; i != 0; {
			following := after(i)
			if !yield(i) || following == first {
				return
			}
			i = following
		}
	}
}

// add puts a new holding last among those of its address, and returns its
// position. It is no sibling of another yet.
func (hs *holdings) add(address uint128, name string, t terms) uint32 {
	i := hs.vacant
	if i != 0 {
		hs.vacant = hs.all[i].sibling
	} else {
		i = uint32(len(hs.all))
		hs.all, hs.longNames = append(hs.all, holding{}), append(hs.longNames, "")
	}
	h := &hs.all[i]
	*h = holding{address: address, terms: t, sibling: i, next: i, previous: i}
	hs.label(i, name)
	if first := hs.ofAddress(address); first != 0 {
		last := hs.all[first].previous
		h.next, h.previous = first, last
		hs.all[first].previous, hs.all[last].next = i, i
	} else {
		hs.byAddress.set(address, i)
	}
	return i
}

// remove takes i from among the holders of its address and vacates its place.
func (hs *holdings) remove(i uint32) {
	h := &hs.all[i]
	switch {
	case h.next == i:
		hs.byAddress.clear(h.address)
	case hs.ofAddress(h.address) == i:
		hs.byAddress.set(h.address, h.next)
	}
	hs.all[h.next].previous, hs.all[h.previous].next = h.previous, h.next
	hs.unlabel(i)
	*h = holding{sibling: hs.vacant}
	hs.vacant = i
}

// append makes i the last of the owner's holdings, which begin with first; with
// first 0 it is the only one. It returns the first.
func (hs *holdings) append(first, i uint32) uint32 {
	if first == 0 {
		hs.byOwner.insert(hs.hash(i), i)
		return i
	}
	last := first
	for hs.all[last].sibling != first {
		last = hs.all[last].sibling
	}
	hs.all[last].sibling, hs.all[i].sibling = i, first
	return first
}

// arrange makes the given ones the owner's holdings, in this order. They are
// some of the present ones, which begin with first, and new ones.
func (hs *holdings) arrange(first uint32, order []uint32) {
	for n, i := range order {
		hs.all[i].sibling = order[(n+1)%len(order)]
	}
	hash := hs.hash(order[0])
	switch {
	case first == 0:
		hs.byOwner.insert(hash, order[0])
	case first != order[0]:
		hs.byOwner.replace(hash, first, order[0])
	}
}

// forget removes the owner whose holdings begin with first from the index.
func (hs *holdings) forget(first uint32) {
	hs.byOwner.remove(hs.hash(first), first)
}

// held yields the first holding of each address that is held.
func (hs *holdings) held() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := range uint32(len(hs.all)) {
			h := &hs.all[i]
			first := h.next == i || h.next != 0 && hs.ofAddress(h.address) == i
			if i != 0 && first && !yield(i) {
				return
			}
		}
	}
}
