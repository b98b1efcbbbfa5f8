// Package config is the typed form of the pool ConfigMap. Parse reads it,
// strictly, and reports every fault at once; nothing else in Herald reads the
// raw strings. The package is pure: no clock, no I/O, no Kubernetes.
//
// The keys are those of kube-vip-cloud-provider, so that its ConfigMap can be
// used as it is, and exclude-, announce- and bgp.yaml beside them: Keys has them all.
// Where <scope> ends one, that is a namespace, or "global" for all namespaces that have
// no pool of their own.
package config

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/heraldlb/herald/config/bgp"
)

// Global is the scope of the pool for namespaces without one of their own.
const Global = "global"

// Order is the order in which a pool's free addresses are handed out.
type Order int

// The orders of allocation.
const (
	Ascending Order = iota
	Descending
)

// String returns the order as it is written in the ConfigMap.
func (o Order) String() string {
	if o == Descending {
		return "desc"
	}
	return "asc"
}

// Pool is what one scope has to hand out.
type Pool struct {
	// Scope is a namespace, or Global.
	Scope string
	// Addresses may be handed out: the CIDRs and ranges, less the skipped ends
	// and the excludes. It is never nil, but may be empty: a namespace with an
	// empty pool gets no address, also none of the global pool.
	Addresses *netipx.IPSet
	// Share allows Services to share an address: allow-share-<scope>, or
	// allow-share-global where the scope does not say.
	Share bool
	// Interface is the one to announce on: interface-<scope>, or
	// interface-global where the scope does not say; "" if none is named.
	Interface string
	// Announce is how: announce-<scope>, or announce-global where the scope does not say.
	Announce Announce
}

// Config is a valid configuration. It is immutable.
type Config struct {
	Order Order
	// Pools are sorted by scope, at most one for each.
	Pools []Pool
	// BGP is nil without bgp.yaml.
	BGP *bgp.Config

	interfaces map[string]string // scope to interface, as written
	announced  map[string]Announce
	entries    map[string][]entry // scope to the entries that its addresses come from
}

// Pool returns the pool that Services in a namespace draw from: the
// namespace's own if there is one, else the global one; never both. It is
// false if there is neither.
func (c *Config) Pool(namespace string) (Pool, bool) {
	pool, ok := c.own(namespace)
	if !ok {
		pool, ok = c.own(Global)
	}
	if name, named := c.interfaces[namespace]; ok && named {
		pool.Interface = name
	}
	pool.Announce = c.Announce(namespace)
	return pool, ok
}

// Containing returns the pool that Services in a namespace draw from, if a is
// one of its addresses.
func (c *Config) Containing(a netip.Addr, namespace string) (Pool, bool) {
	pool, ok := c.Pool(namespace)
	if !ok || !pool.Addresses.Contains(a) {
		return Pool{}, false
	}
	return pool, true
}

// Interface returns the one to announce a namespace's addresses on, also of
// those that have left its pool; "" if none is named.
func (c *Config) Interface(namespace string) string {
	if name, named := c.interfaces[namespace]; named {
		return name
	}
	return c.interfaces[Global]
}

func (c *Config) own(scope string) (Pool, bool) {
	at, ok := slices.BinarySearchFunc(c.Pools, scope, func(p Pool, scope string) int {
		return strings.Compare(p.Scope, scope)
	})
	if !ok {
		return Pool{}, false
	}
	return c.Pools[at], true
}
