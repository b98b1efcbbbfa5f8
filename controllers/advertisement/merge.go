package advertisement

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/heraldlb/herald/config/bgp"
)

// classes are the sets of advertisements that prefixes are told by, each with what
// they make of the attributes. Thousands of prefixes share a few.
type classes struct {
	advertisements []advertisement
	known          map[string]class
	members        [][]int
	attributes     []bgp.Attributes
	// with remembers the class that a class becomes with one advertisement more.
	with map[[2]int]class
}

// class is an index of classes; none is that of no advertisement.
type class int

const none class = -1

func newClasses(advertisements []advertisement) *classes {
	return &classes{advertisements: advertisements, known: make(map[string]class), with: make(map[[2]int]class)}
}

// add returns the class of what c has, and advertisement i.
func (cs *classes) add(c class, i int) class {
	step := [2]int{int(c), i}
	if next, known := cs.with[step]; known {
		return next
	}
	var members []int
	if c != none {
		members = slices.Clone(cs.members[c])
	}
	if at, has := slices.BinarySearch(members, i); !has {
		members = slices.Insert(members, at, i)
	}
	next := cs.intern(members)
	cs.with[step] = next
	return next
}

func (cs *classes) intern(members []int) class {
	var key []byte
	for _, i := range members {
		key = binary.AppendUvarint(key, uint64(i)) //nolint:gosec // an index
	}
	if c, known := cs.known[string(key)]; known {
		return c
	}
	c := class(len(cs.members))
	cs.known[string(key)] = c
	cs.members = append(cs.members, members)
	cs.attributes = append(cs.attributes, cs.merged(members))
	return c
}

// merged unites the communities of advertisements of one prefix. Of what a route can
// have but once, the first by name counts that says it.
func (cs *classes) merged(members []int) bgp.Attributes {
	var all bgp.Attributes
	for _, i := range members { // by name, as bgp.Config has them
		a := cs.advertisements[i].Attributes
		all.Communities = append(all.Communities, a.Communities...)
		all.LargeCommunities = append(all.LargeCommunities, a.LargeCommunities...)
		all.LocalPreference = cmp.Or(all.LocalPreference, a.LocalPreference)
		all.MED = cmp.Or(all.MED, a.MED)
		all.Prepend = cmp.Or(all.Prepend, a.Prepend)
	}
	slices.Sort(all.Communities)
	all.Communities = slices.Compact(all.Communities)
	slices.SortFunc(all.LargeCommunities, func(a, b bgp.LargeCommunity) int {
		return cmp.Or(cmp.Compare(a.Global, b.Global), cmp.Compare(a.Local1, b.Local1), cmp.Compare(a.Local2, b.Local2))
	})
	all.LargeCommunities = slices.Compact(all.LargeCommunities)
	return all
}
