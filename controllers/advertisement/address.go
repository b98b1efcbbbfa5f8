package advertisement

import (
	"maps"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
)

// Address is one that this node is to advertise.
type Address struct {
	Address netip.Addr
	Holders []Holder
}

// Holder is what an advertisement selects a Service by that holds an address.
type Holder struct {
	// Pool is the scope of the pool that the Service draws from, "" if it has none.
	Pool   string
	Labels labels.Set
}

func (a Address) equal(b Address) bool {
	return a.Address == b.Address && slices.EqualFunc(a.Holders, b.Holders, func(a, b Holder) bool {
		return a.Pool == b.Pool && maps.Equal(a.Labels, b.Labels)
	})
}
