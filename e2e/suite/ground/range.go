package ground

import (
	"fmt"
	"net/netip"
)

// Ranges are one range of each family.
type Ranges struct{ V4, V6 Range }

// Range is a run of addresses of one family.
type Range struct{ From, To netip.Addr }

// String returns the range in the form of the pool ConfigMap.
func (r Range) String() string { return fmt.Sprintf("%s-%s", r.From, r.To) }

// Take returns the first n addresses of the range as a range of their own.
func (r Range) Take(n int) (Range, error) {
	last := r.From
	for range n - 1 {
		last = last.Next()
	}
	if n < 1 || !r.Contains(last) {
		return Range{}, fmt.Errorf("no %d addresses in %s", n, r)
	}
	return Range{From: r.From, To: last}, nil
}

// Contains says whether address lies in the range.
func (r Range) Contains(address netip.Addr) bool {
	return address.BitLen() == r.From.BitLen() && r.From.Compare(address) <= 0 && address.Compare(r.To) <= 0
}
