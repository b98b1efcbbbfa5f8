package config

import (
	"math/big"
	"net/netip"

	"go4.org/netipx"
)

// Size returns how many addresses of each family the pool has to hand out. An
// IPv6 /64 has more than a uint64 counts.
func (p Pool) Size() (ipv4, ipv6 *big.Int) {
	ipv4, ipv6 = new(big.Int), new(big.Int)
	for _, r := range p.Addresses.Ranges() {
		if r.From().Is4() {
			ipv4.Add(ipv4, size(r))
		} else {
			ipv6.Add(ipv6, size(r))
		}
	}
	return ipv4, ipv6
}

func size(r netipx.IPRange) *big.Int {
	n := new(big.Int).Sub(number(r.To()), number(r.From()))
	return n.Add(n, big.NewInt(1))
}

func number(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }

// FormatRange returns a range in its shortest form: one address, a CIDR, or
// the two ends.
func FormatRange(r netipx.IPRange) string {
	if r.From() == r.To() {
		return r.From().String()
	}
	if prefix, ok := r.Prefix(); ok {
		return prefix.String()
	}
	return r.String()
}

// intersection returns what two overlapping ranges have in common.
func intersection(a, b netipx.IPRange) netipx.IPRange {
	from, to := a.From(), a.To()
	if from.Less(b.From()) {
		from = b.From()
	}
	if b.To().Less(to) {
		to = b.To()
	}
	return netipx.IPRangeFrom(from, to)
}
