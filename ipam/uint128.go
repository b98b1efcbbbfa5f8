package ipam

import (
	"cmp"
	"encoding/binary"
	"net/netip"
)

// uint128 is an address as a number. An IPv4 address has the number of its
// IPv4-mapped form (RFC 4291 section 2.5.5.2), so the families do not mix.
type uint128 struct{ hi, lo uint64 }

func fromAddr(a netip.Addr) uint128 {
	b := a.As16()
	return uint128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (u uint128) addr() netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], u.hi)
	binary.BigEndian.PutUint64(b[8:], u.lo)
	return netip.AddrFrom16(b).Unmap()
}

func (u uint128) family() Family {
	if u.hi == 0 && u.lo>>32 == 0xffff {
		return IPv4
	}
	return IPv6
}

func (u uint128) less(v uint128) bool {
	return u.hi < v.hi || u.hi == v.hi && u.lo < v.lo
}

func (u uint128) compare(v uint128) int {
	return cmp.Or(cmp.Compare(u.hi, v.hi), cmp.Compare(u.lo, v.lo))
}

// next returns u+1; the greatest number wraps to 0.
func (u uint128) next() uint128 {
	lo := u.lo + 1
	if lo == 0 {
		u.hi++
	}
	return uint128{u.hi, lo}
}

// previous returns u-1; 0 wraps to the greatest number.
func (u uint128) previous() uint128 {
	if u.lo == 0 {
		u.hi--
	}
	return uint128{u.hi, u.lo - 1}
}

func (u uint128) not() uint128 { return uint128{^u.hi, ^u.lo} }

// float returns the nearest float64: sizes of pools exceed every integer type.
func (u uint128) float() float64 { return float64(u.hi)*(1<<64) + float64(u.lo) }

func (u uint128) minus(v uint128) uint128 {
	hi := u.hi - v.hi
	if u.lo < v.lo {
		hi--
	}
	return uint128{hi, u.lo - v.lo}
}

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

// interval is the ranks from first to last, both included.
type interval struct{ first, last uint128 }

func (i interval) contains(u uint128) bool { return !u.less(i.first) && !i.last.less(u) }

// size returns how many ranks the interval has.
func (i interval) size() float64 { return i.last.minus(i.first).float() + 1 }
