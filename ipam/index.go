package ipam

// index is a hash table of positions in a slice. Its keys stay in the slice, so
// an entry is 8 bytes, a look-up in a cold table costs one cache miss, and the
// garbage collector has nothing to scan. Open addressing with linear probing; a
// removal closes the gap, so there are no tombstones (Knuth, TAOCP 6.4,
// algorithm R).
type index struct {
	// entries hold hash<<32 | position; 0 is empty, since position 0 is unused.
	// Their number is a power of two.
	entries []uint64
	used    int
}

const (
	minEntries = 16
	// maxLoad is the share of entries in use, 1/maxLoad, that doubles the table.
	maxLoad = 2
)

func newIndex() index { return index{entries: make([]uint64, minEntries)} }

// find returns the position with this hash for which is holds.
func (x *index) find(hash uint32, is func(position uint32) bool) (position uint32, found bool) {
	for i := x.home(hash); x.entries[i] != 0; i = x.after(i) {
		if e := x.entries[i]; uint32(e>>32) == hash && is(uint32(e)) {
			return uint32(e), true
		}
	}
	return 0, false
}

// insert adds a position that is not in the index.
func (x *index) insert(hash, position uint32) {
	if x.used++; x.used*maxLoad > len(x.entries) {
		x.grow()
	}
	x.place(entry(hash, position))
}

// replace puts a position in the place of another with the same key.
func (x *index) replace(hash, old, position uint32) {
	x.entries[x.slot(entry(hash, old))] = entry(hash, position)
}

// remove deletes a position that is in the index.
func (x *index) remove(hash, position uint32) {
	x.used--
	gap := x.slot(entry(hash, position))
	for i := x.after(gap); x.entries[i] != 0; i = x.after(i) {
		// An entry may move back to the gap unless its home lies behind it.
		if x.distance(x.home(uint32(x.entries[i]>>32)), i) >= x.distance(gap, i) {
			x.entries[gap] = x.entries[i]
			gap = i
		}
	}
	x.entries[gap] = 0
}

func (x *index) grow() {
	old := x.entries
	x.entries = make([]uint64, 2*len(old))
	for _, e := range old {
		if e != 0 {
			x.place(e)
		}
	}
}

func (x *index) place(e uint64) {
	i := x.home(uint32(e >> 32))
	for x.entries[i] != 0 {
		i = x.after(i)
	}
	x.entries[i] = e
}

// slot returns where an entry is that is in the index.
func (x *index) slot(e uint64) uint32 {
	i := x.home(uint32(e >> 32))
	for x.entries[i] != e {
		i = x.after(i)
	}
	return i
}

func entry(hash, position uint32) uint64 { return uint64(hash)<<32 | uint64(position) }

func (x *index) mask() uint32 { return uint32(len(x.entries) - 1) }

func (x *index) home(hash uint32) uint32 { return hash & x.mask() }

func (x *index) after(i uint32) uint32 { return (i + 1) & x.mask() }

// distance returns how many steps of probing lead from one slot to another.
func (x *index) distance(from, to uint32) uint32 { return (to - from) & x.mask() }
