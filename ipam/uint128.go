package ipam

import (
	"cmp"
	"encoding/binary"
	"math/bits"
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

func (u uint128) shiftLeft(n uint) uint128 { //nolint:unparam // the other of shiftRight
	return uint128{u.hi<<n | u.lo>>(64-n), u.lo << n}
}

func (u uint128) shiftRight(n uint) uint128 { return uint128{u.hi >> n, u.lo>>n | u.hi<<(64-n)} }

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

// hash mixes a number (the multiplication of wyhash).
func (u uint128) hash() uint32 {
	hi, lo := bits.Mul64(u.hi^0xa0761d6478bd642f, u.lo^0xe7037ed1a0b428db)
	return uint32(hi ^ lo)
}
