package ipam

import (
	"sort"

	"github.com/tidwall/btree"
)

// orderedSet is a set of ranks that can be asked by position.
type orderedSet struct {
	tree *btree.BTreeG[uint128]
}

func newOrderedSet() orderedSet {
	return orderedSet{btree.NewBTreeGOptions(uint128.less, btree.Options{NoLocks: true})}
}

func (s orderedSet) insert(u uint128) { s.tree.Set(u) }

func (s orderedSet) remove(u uint128) { s.tree.Delete(u) }

func (s orderedSet) has(u uint128) bool {
	_, found := s.tree.Get(u)
	return found
}

func (s orderedSet) len() int { return s.tree.Len() }

// at returns the element in the given place.
func (s orderedSet) at(place int) uint128 {
	u, _ := s.tree.GetAt(place)
	return u
}

// place returns how many elements are below u.
func (s orderedSet) place(u uint128) int {
	return sort.Search(s.len(), func(i int) bool { return !s.at(i).less(u) })
}

// lowestMissing returns the lowest element of s at or above from that sub, a
// subset of s, lacks. From from on both sets agree place by place until the
// first such element and never again after it: a binary search finds it however
// many elements there are before it.
func (s orderedSet) lowestMissing(sub orderedSet, from uint128) (uint128, bool) {
	p, q := s.place(from), sub.place(from)
	p += sort.Search(sub.len()-q, func(i int) bool { return s.at(p+i) != sub.at(q+i) })
	if p == s.len() {
		return uint128{}, false
	}
	return s.at(p), true
}

// lowest returns the lowest element at or above from.
func (s orderedSet) lowest(from uint128) (lowest uint128, found bool) {
	s.tree.Ascend(from, func(u uint128) bool {
		lowest, found = u, true
		return false
	})
	return lowest, found
}
