package ipam

import (
	"slices"

	"go4.org/netipx"
	"pgregory.net/rapid"
)

// checkInside checks what must hold between the parts of the allocator.
func checkInside(t *rapid.T, a *Allocator) {
	t.Helper()
	held := map[uint128]int{}
	references := 0
	for i, h := range a.holdings.all {
		if (a.holdings.longNames[i] != "") != (h.name.size == tooLong) {
			t.Fatalf("holding %d has the long name %q and size %d", i, a.holdings.longNames[i], h.name.size)
		}
		if h.next != 0 {
			held[h.address]++
			references++
			if a.holdings.at(h.next).previous != uint32(i) || a.holdings.at(h.next).address != h.address {
				t.Fatalf("the ring of %s is broken", h.address.addr())
			}
		}
	}
	checkDirectory(t, &a.holdings.byAddress, held)
	for _, p := range a.pools {
		for i := range p.stocks {
			checkFree(t, a.order, &p.stocks[i], held)
		}
	}
	checkReferences(t, &a.namespaces, references)
	checkReferences(t, &a.portSets, references)
	checkReferences(t, &a.sharings, references)
}

// checkFree checks that the free intervals are the ranges less what is held,
// ascending, and that no two touch.
func checkFree(t *rapid.T, order Order, s *stock, held map[uint128]int) {
	t.Helper()
	var b netipx.IPSetBuilder
	for _, r := range s.ranges {
		b.AddRange(rangeOf(order, r))
	}
	for address := range held {
		b.Remove(address.addr())
	}
	set, err := b.IPSet()
	if err != nil {
		t.Fatal(err)
	}
	var free []netipx.IPRange
	for _, i := range s.free.intervals(t) {
		free = append(free, rangeOf(order, i))
	}
	if order == Descending {
		slices.Reverse(free)
	}
	if !slices.Equal(free, set.Ranges()) {
		t.Fatalf("free %v, want %v", free, set.Ranges())
	}
}

func rangeOf(order Order, i interval) netipx.IPRange {
	from, to := order.rank(i.first).addr(), order.rank(i.last).addr()
	if order == Descending {
		from, to = to, from
	}
	return netipx.IPRangeFrom(from, to)
}

// checkReferences checks that each holding has one reference, and nobody else.
func checkReferences[K comparable, V any](t *rapid.T, in *interner[K, V], want int) {
	t.Helper()
	references := 0
	for _, e := range in.entries {
		references += e.references
	}
	if references != want || len(in.entries) != len(in.ids)+len(in.vacant) {
		t.Fatalf("%d references to %d keys in %d places, %d vacant; want %d references", references, len(in.ids), len(in.entries), len(in.vacant), want)
	}
}

// checkDirectory checks that it has the addresses held, and no page for others.
func checkDirectory(t *rapid.T, d *directory, held map[uint128]int) {
	t.Helper()
	pages := map[uint128]bool{}
	for address := range held {
		pages[pageOf(address)] = true
		if d.get(address) == 0 {
			t.Fatalf("%s is not in the directory", address.addr())
		}
	}
	if d.index.used != len(pages) || len(d.pages) != 1+len(pages)+len(d.vacant) {
		t.Fatalf("%d of %d pages indexed, %d vacant; want %d", d.index.used, len(d.pages), len(d.vacant), len(pages))
	}
}
