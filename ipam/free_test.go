package ipam

import (
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestIntervalSet takes and gives numbers at both ends of the number line, where
// the neighbours wrap around.
func TestIntervalSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := []interval{{uint128{lo: 0}, uint128{lo: 7}}, {uint128{lo: 7}.not(), uint128{}.not()}}
		s := newIntervalSet()
		for _, i := range whole {
			s.insert(i)
		}
		taken := map[uint128]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if got, want := s.tree.Items(), remaining(whole, taken); !slices.Equal(got, want) {
					t.Fatalf("free %v, want %v", got, want)
				}
			},
			"turn": func(t *rapid.T) {
				u := uint128{lo: rapid.Uint64Range(0, 7).Draw(t, "number")}
				if rapid.Bool().Draw(t, "high") {
					u = u.not()
				}
				if taken[u] {
					s.give(u)
					delete(taken, u)
				} else {
					s.take(u)
					taken[u] = true
				}
			},
		})
	})
}

// TestFreeSet takes and gives ranks of two intervals that begin and end anywhere
// in their words: in one word, in neighbouring ones, at the very edges. They lie
// at either end of the number line or where the upper half of a number changes.
// Stretches of ranks are turned at once, so that words fill and empty.
func TestFreeSet(t *testing.T) {
	bases := []uint128{{}, {hi: 1, lo: ^uint64(2*wordSize - 1)}, uint128{lo: 4*wordSize - 1}.not()}
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom(bases).Draw(t, "base")
		at := func(offset uint64) uint128 { return base.plus(offset) }
		edges := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 4*wordSize-1), 4, 4, rapid.ID).Draw(t, "edges")
		slices.Sort(edges)
		ranges := []interval{{at(edges[0]), at(edges[1])}, {at(edges[2]), at(edges[3])}}
		if edges[1]+1 == edges[2] {
			ranges = []interval{{at(edges[0]), at(edges[3])}} // ranges of a pool never touch
		}
		s, taken := newFreeSet(ranges), map[uint128]bool{}
		turn := func(u uint128) {
			switch {
			case !slices.ContainsFunc(ranges, func(r interval) bool { return r.contains(u) }):
			case taken[u]:
				s.give(u)
				delete(taken, u)
			default:
				s.take(u)
				taken[u] = true
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				want := remaining(ranges, taken)
				if got := s.intervals(t); !slices.Equal(got, want) {
					t.Fatalf("free %v, want %v", got, want)
				}
				lowest, found := s.lowest()
				if found != (len(want) > 0) || found && lowest != want[0].first {
					t.Fatalf("lowest %v %t, want the first of %v", lowest, found, want)
				}
			},
			"turn": func(t *rapid.T) {
				from := rapid.Uint64Range(0, 4*wordSize-1).Draw(t, "from")
				to := min(from+rapid.SampledFrom([]uint64{0, 1, wordSize - 1, 2 * wordSize}).Draw(t, "more"), 4*wordSize-1)
				for offset := from; offset <= to; offset++ {
					turn(at(offset))
				}
			},
		})
	})
}

// plus returns u+n.
func (u uint128) plus(n uint64) uint128 {
	lo, carry := bits.Add64(u.lo, n, 0)
	return uint128{u.hi + carry, lo}
}

// intervals returns the free ranks as intervals, after a check that each word is
// where it belongs.
func (s freeSet) intervals(t *rapid.T) []interval {
	t.Helper()
	var all []interval
	for _, i := range s.whole.tree.Items() {
		last := i.last.shiftLeft(wordBits)
		all = append(all, interval{i.first.shiftLeft(wordBits), last.plus(wordSize - 1)})
	}
	for _, w := range s.partial.Items() {
		if w.free == allFree || (w.free == 0) != (w == lastWord()) {
			t.Fatalf("word %v with ranks %b is not partly free", w.number, w.free)
		}
		for rank := w.number.shiftLeft(wordBits); w.free != 0; rank, w.free = rank.next(), w.free>>1 {
			if w.free&1 != 0 {
				all = append(all, interval{rank, rank})
			}
		}
	}
	slices.SortFunc(all, func(a, b interval) int { return a.first.compare(b.first) })
	return joined(all)
}

// joined joins intervals that touch.
func joined(all []interval) (list []interval) {
	for _, i := range all {
		if n := len(list); n > 0 && list[n-1].last.next() == i.first {
			list[n-1].last = i.last
		} else {
			list = append(list, i)
		}
	}
	return list
}

// remaining returns the intervals that are left of some, number by number.
func remaining(all []interval, taken map[uint128]bool) (left []interval) {
	for _, i := range all {
		for u := i.first; ; u = u.next() {
			if !taken[u] {
				left = append(left, interval{u, u})
			}
			if u == i.last {
				break
			}
		}
	}
	return joined(left)
}
