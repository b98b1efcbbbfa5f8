package ipam

import "slices"

// region is an interval of ranks that lies in the same pools from end to end.
type region struct {
	interval
	pools []*pool
}

// regions tells which pools an address is in; ascending and disjoint. Pools may
// overlap, and what is held must be free in none of them.
type regions []region

// at returns the pools that an address is in.
func (rs regions) at(u uint128) []*pool {
	low, high := 0, len(rs)
	for low < high {
		if middle := int(uint(low+high) / 2); rs[middle].last.less(u) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == len(rs) || u.less(rs[low].first) {
		return nil
	}
	return rs[low].pools
}

// edge is where a range of a pool begins, or the rank after its end.
type edge struct {
	at     uint128
	pool   *pool
	begins bool
}

// newRegions sweeps over the edges of all ranges and cuts at each.
func newRegions(pools []*pool) regions {
	var rs regions
	var within []*pool
	var from uint128
	for _, e := range edges(pools) {
		if len(within) > 0 && from != e.at {
			rs = append(rs, region{interval{from, e.at.previous()}, slices.Clone(within)})
		}
		from = e.at
		if e.begins {
			within = append(within, e.pool)
		} else {
			within = slices.DeleteFunc(within, func(p *pool) bool { return p == e.pool })
		}
	}
	if len(within) > 0 {
		rs = append(rs, region{interval{from, uint128{}.not()}, within})
	}
	return rs
}

func edges(pools []*pool) []edge {
	var es []edge
	for _, p := range pools {
		for _, s := range p.stocks {
			for _, r := range s.ranges {
				es = append(es, edge{r.first, p, true})
				if r.last != (uint128{}.not()) {
					es = append(es, edge{r.last.next(), p, false})
				}
			}
		}
	}
	slices.SortFunc(es, func(a, b edge) int {
		if c := a.at.compare(b.at); c != 0 || a.begins == b.begins {
			return c
		}
		if b.begins {
			return -1 // a pool's range ends before its next one begins
		}
		return 1
	})
	return es
}
