package ipam

import (
	"slices"

	"go4.org/netipx"
)

// Global is the name of the pool of those namespaces that have none of their own.
const Global = "global"

// Pool is a set of addresses to hand out.
type Pool struct {
	// Name is the namespace the pool serves, or Global. It is unique.
	Name      string
	Addresses *netipx.IPSet
	// Share lets owners without a sharing key share addresses.
	Share bool
}

// Usage is how far a pool is used in one family.
type Usage struct {
	Pool   string
	Family Family
	// Size is the number of addresses in the pool, which may exceed any integer.
	Size float64
	// Used is how many of them are held, by whomever, each counted once.
	Used int
}

// pool is a Pool at work.
type pool struct {
	name   string
	share  bool
	stocks [2]stock
}

// stock is what a pool has of one family.
type stock struct {
	ranges []interval // all addresses of the pool, as ranks, ascending
	free   freeSet    // those nobody holds
	size   float64
	used   int
}

func newPool(p Pool, order Order) *pool {
	made := &pool{name: p.Name, share: p.Share}
	if p.Addresses != nil {
		for _, r := range p.Addresses.Ranges() {
			s := made.stock(familyOf(r.From()))
			s.ranges = append(s.ranges, ranked(r, order)...)
		}
	}
	for i := range made.stocks {
		s := &made.stocks[i]
		slices.SortFunc(s.ranges, func(a, b interval) int { return a.first.compare(b.first) })
		s.free = newFreeSet(s.ranges)
		for _, r := range s.ranges {
			s.size += r.size()
		}
	}
	return made
}

// ranked returns a range as ranks. IPv6 leaves out the IPv4-mapped addresses.
func ranked(r netipx.IPRange, order Order) []interval {
	whole := interval{fromAddr(r.From()), fromAddr(r.To())}
	parts := []interval{whole}
	if r.From().Is6() {
		parts = whole.without(mapped())
	}
	for i, part := range parts {
		if order == Descending {
			parts[i] = interval{order.rank(part.last), order.rank(part.first)}
		}
	}
	return parts
}

// stock returns what the pool has of the family of an address.
func (p *pool) stock(f Family) *stock { return &p.stocks[f.slot()] }

func (s *stock) take(u uint128) {
	s.free.take(u)
	s.used++
}

func (s *stock) give(u uint128) {
	s.free.give(u)
	s.used--
}

// reaching returns the ranges that end at u or above.
func (s *stock) reaching(u uint128) []interval {
	at, _ := slices.BinarySearchFunc(s.ranges, u, func(r interval, u uint128) int {
		return r.last.compare(u)
	})
	return s.ranges[at:]
}

func (s *stock) contains(u uint128) bool {
	ranges := s.reaching(u)
	return len(ranges) > 0 && ranges[0].contains(u)
}

// lowestShared returns the lowest address of the pool that is in the group and
// has none of the ports in use. Pool and group push each other's candidate up.
func (s *stock) lowestShared(g *group, ports portSet) (uint128, bool) {
	for ranges := s.ranges; len(ranges) > 0; {
		candidate, found := g.lowest(ranges[0].first, ports)
		if !found {
			return uint128{}, false
		}
		if ranges = s.reaching(candidate); len(ranges) > 0 && ranges[0].contains(candidate) {
			return candidate, true
		}
	}
	return uint128{}, false
}
