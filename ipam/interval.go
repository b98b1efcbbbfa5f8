package ipam

// Order says which end of a pool is handed out first.
type Order int

// The orders.
const (
	Ascending Order = iota
	Descending
)

// rank turns an address into its place in the order, and back. The ordered sets
// of this package hold ranks, so they only ever search for the lowest.
func (o Order) rank(u uint128) uint128 {
	if o == Descending {
		return u.not()
	}
	return u
}

// interval is the numbers from first to last, both included.
type interval struct{ first, last uint128 }

// mapped returns the numbers of the IPv4 addresses.
func mapped() interval {
	return interval{uint128{lo: 0xffff_0000_0000}, uint128{lo: 0xffff_ffff_ffff}}
}

func (i interval) contains(u uint128) bool { return !u.less(i.first) && !i.last.less(u) }

// size returns how many numbers the interval has.
func (i interval) size() float64 { return i.last.minus(i.first).float() + 1 }

// without returns what is left of i without the numbers of j.
func (i interval) without(j interval) (rest []interval) {
	if i.last.less(j.first) || j.last.less(i.first) {
		return []interval{i}
	}
	if i.first.less(j.first) {
		rest = append(rest, interval{i.first, j.first.previous()})
	}
	if j.last.less(i.last) {
		rest = append(rest, interval{j.last.next(), i.last})
	}
	return rest
}
