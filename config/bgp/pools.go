package bgp

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"go.yaml.in/yaml/v3"
	"go4.org/netipx"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Pool is what is to be known of one of the ConfigMap's pools.
type Pool struct {
	// Scope is a namespace, or "global".
	Scope string
	// Announced tells whether addresses of it are announced by BGP.
	Announced bool
	// Addresses are those that the pool names.
	Addresses *netipx.IPSet
}

// ParseBeside is Parse, and holds what is told against the ConfigMap's pools.
func ParseBeside(text string, pools []Pool) (*Config, Faults) {
	var p parser
	read := p.parse(text)
	if read {
		p.checkPools(pools)
	}
	return p.finish(read)
}

// checkPools warns of advertisements that tell nothing, or too much.
func (p *parser) checkPools(pools []Pool) {
	byScope := make(map[string]Pool)
	for _, pool := range pools {
		byScope[pool.Scope] = pool
	}
	for _, a := range p.advertisements {
		if a.at["pools"] == nil && a.at["aggregationLength"] != nil {
			for _, pool := range pools {
				p.checkAggregation(a, pool)
			}
		}
		for _, scope := range a.Pools {
			at := a.pools[scope]
			switch pool, ok := byScope[scope]; {
			case !ok:
				p.warn(at, "there is no such pool"+didYouMean(scope, slices.Sorted(maps.Keys(byScope))))
			case !pool.Announced:
				p.warn(at, fmt.Sprintf("none of this pool's addresses is announced by bgp: announce-%s does not say so", scope))
			default:
				p.checkAggregation(a, pool)
			}
		}
	}
}

// checkAggregation warns of prefixes that hold more than the pool: what is sent to
// the rest would come to the nodes.
func (p *parser) checkAggregation(a placedAdvertisement, pool Pool) {
	if !pool.Announced || pool.Addresses == nil {
		return
	}
	lengths := a.at["aggregationLength"]
	if lengths == nil {
		return
	}
	for _, r := range pool.Addresses.Ranges() {
		bits := a.AggregationLength4
		if r.From().Is6() {
			bits = a.AggregationLength6
		}
		for _, end := range []netip.Addr{r.From(), r.To()} {
			if told := netip.PrefixFrom(end, int(bits)).Masked(); !pool.Addresses.ContainsPrefix(told) {
				p.warn(familyNode(lengths, end), fmt.Sprintf("tells of %s, which is more than the pool %s has", told, pool.Scope))
				break
			}
		}
	}
}

// familyNode returns where the length for an address's family stands.
func familyNode(lengths *yaml.Node, a netip.Addr) *yaml.Node {
	key := "ipv4"
	if a.Is6() {
		key = "ipv6"
	}
	for pair := range slices.Chunk(lengths.Content, 2) {
		if pair[0].Value == key {
			return pair[1]
		}
	}
	return lengths
}

// parsePool reads a scope: a namespace's name, or "global".
func parsePool(text string) (string, error) {
	if !isNamespace(text) {
		return "", errors.New("not a pool: a pool is named as its namespace is, or global")
	}
	return text, nil
}

// isNamespace tells whether a name is an RFC 1123 label, as those of namespaces are.
func isNamespace(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }
