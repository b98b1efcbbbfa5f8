package ipam

import "github.com/tidwall/btree"

// intervalSet is a set of numbers as disjoint intervals that never touch, in a
// tree ordered by their last number. With the last as the key, taking the lowest
// number shortens an interval in place.
type intervalSet struct {
	tree *btree.BTreeG[interval]
}

func newIntervalSet() intervalSet {
	return intervalSet{btree.NewBTreeGOptions(
		func(a, b interval) bool { return a.last.less(b.last) },
		btree.Options{NoLocks: true},
	)}
}

// insert adds an interval of which nothing is in the set, nor next to it.
func (s intervalSet) insert(i interval) { s.tree.Set(i) }

// lowest returns the lowest number.
func (s intervalSet) lowest() (uint128, bool) {
	i, found := s.tree.Min()
	return i.first, found
}

// take removes a number that is in the set.
func (s intervalSet) take(u uint128) {
	i, _ := s.reaching(u)
	switch {
	case i.first == i.last:
		s.tree.Delete(i)
	case u == i.first:
		s.tree.Set(interval{u.next(), i.last})
	case u == i.last:
		s.tree.Delete(i)
		s.tree.Set(interval{i.first, u.previous()})
	default:
		s.tree.Set(interval{u.next(), i.last})
		s.tree.Set(interval{i.first, u.previous()})
	}
}

// give adds a number that is not in the set, joined with its neighbours.
func (s intervalSet) give(u uint128) {
	joined, below := interval{u, u}, u
	if u != (uint128{}) {
		below = u.previous()
	}
	s.tree.Ascend(interval{last: below}, func(i interval) bool {
		switch {
		case i.last.less(u):
			joined.first = i.first
			return true
		case i.first == u.next():
			joined.last = i.last
		}
		return false
	})
	if joined.first != u {
		s.tree.Delete(interval{last: below})
	}
	s.tree.Set(joined)
}

// reaching returns the first interval that ends at u or above.
func (s intervalSet) reaching(u uint128) (reached interval, found bool) {
	s.tree.Ascend(interval{last: u}, func(i interval) bool {
		reached, found = i, true
		return false
	})
	return reached, found
}
