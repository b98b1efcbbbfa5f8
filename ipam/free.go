package ipam

import (
	"math/bits"

	"github.com/tidwall/btree"
)

// freeSet is the ranks of one pool and family that nobody holds. They are kept by
// words, 64 ranks that differ in the last bits only: words that are free from end
// to end make intervals, so a large pool costs nothing; the others have a bit for
// each rank, so addresses that are free here and there cost little more.
type freeSet struct {
	whole   intervalSet         // the numbers of the words that are all free
	partial *btree.BTreeG[word] // those with some rank free, and some not
}

// word is 64 ranks.
type word struct {
	number uint128 // what the ranks have in common
	free   uint64  // the lowest rank is the lowest bit
}

const (
	wordBits = 6
	wordSize = 1 << wordBits
	allFree  = ^uint64(0)
)

func newFreeSet(intervals []interval) freeSet {
	s := freeSet{newIntervalSet(), btree.NewBTreeGOptions(
		func(a, b word) bool { return a.number.less(b.number) },
		btree.Options{NoLocks: true},
	)}
	s.partial.Set(lastWord()) // a tree that became empty would have to allocate again
	for _, i := range intervals {
		s.insert(i)
	}
	return s
}

// lastWord returns a word beyond all others, with no rank free.
func lastWord() word { return word{number: uint128{}.not()} }

// insert adds an interval of which nothing is in the set.
func (s freeSet) insert(i interval) {
	first, last := wordOf(i.first), wordOf(i.last)
	head, tail := allFree<<(i.first.lo%wordSize), allFree>>(wordSize-1-i.last.lo%wordSize)
	if first == last {
		s.add(first, head&tail)
		return
	}
	if between := (interval{first.next(), last.previous()}); between.first != last {
		s.whole.insert(between)
	}
	s.add(first, head)
	s.add(last, tail)
}

// add adds ranks of one word, none of which is in the set.
func (s freeSet) add(number uint128, ranks uint64) {
	w, _ := s.partial.Get(word{number: number})
	if w = (word{number, w.free | ranks}); w.free != allFree {
		s.partial.Set(w)
		return
	}
	s.partial.Delete(w)
	s.whole.give(number)
}

// lowest returns the lowest free rank.
func (s freeSet) lowest() (uint128, bool) {
	w, _ := s.partial.Min()
	if number, found := s.whole.lowest(); found && number.less(w.number) {
		w = word{number, allFree}
	}
	lowest := w.number.shiftLeft(wordBits)
	lowest.lo |= uint64(bits.TrailingZeros64(w.free))
	return lowest, w.free != 0
}

// take removes a rank that is in the set.
func (s freeSet) take(u uint128) {
	w, found := s.partial.Get(word{number: wordOf(u)})
	if !found {
		w = word{wordOf(u), allFree}
		s.whole.take(w.number)
	}
	if w.free &^= bitOf(u); w.free != 0 {
		s.partial.Set(w)
	} else {
		s.partial.Delete(w)
	}
}

// give adds a rank that is not in the set.
func (s freeSet) give(u uint128) { s.add(wordOf(u), bitOf(u)) }

func wordOf(u uint128) uint128 { return u.shiftRight(wordBits) }

func bitOf(u uint128) uint64 { return 1 << (u.lo % wordSize) }
