package bgp

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/labels"
)

// The lengths that prefixes have without aggregation.
const (
	hostLength4 = 32
	hostLength6 = 128
)

// mostPrepend is more than anybody needs: routers refuse long paths.
const mostPrepend = 32

// placedAdvertisement is an advertisement and where it stands.
type placedAdvertisement struct {
	Advertisement
	at           nodes
	pools, peers map[string]*yaml.Node
}

// everything tells every address as it is.
func everything() Advertisement {
	return Advertisement{
		Services:           labels.Everything(),
		Nodes:              labels.Everything(),
		AggregationLength4: hostLength4,
		AggregationLength6: hostLength6,
	}
}

func (p *parser) readAdvertisement(node *yaml.Node) {
	a := placedAdvertisement{Advertisement: everything()}
	attributes := &a.Attributes
	a.at = p.object(node, fields{
		"name":            text(p, &a.Name, parseName),
		"pools":           func(value *yaml.Node) { a.Pools, a.pools = p.readNames(value, parsePool, "pools") },
		"peers":           func(value *yaml.Node) { a.Peers, a.peers = p.readNames(value, parseName, "peers") },
		"serviceSelector": func(value *yaml.Node) { a.Services = p.readSelector(value) },
		"nodeSelector":    func(value *yaml.Node) { a.Nodes = p.readSelector(value) },
		"communities":     func(value *yaml.Node) { p.readCommunities(value, attributes) },
		"localPreference": number(p, &attributes.LocalPreference, optional(between[uint32](0, math.MaxUint32))),
		"med":             number(p, &attributes.MED, optional(between[uint32](0, math.MaxUint32))),
		"asPathPrepend":   number(p, &attributes.Prepend, between[uint8](0, mostPrepend)),
		"aggregationLength": func(value *yaml.Node) {
			p.object(value, fields{
				"ipv4": number(p, &a.AggregationLength4, between[uint8](1, hostLength4)),
				"ipv6": number(p, &a.AggregationLength6, between[uint8](1, hostLength6)),
			})
		},
	})
	if a.at == nil {
		return
	}
	p.require(node, a.at, "name")
	p.advertisements = append(p.advertisements, a)
}

// readNames reads a list of names, which it returns sorted, and where each stands.
func (p *parser) readNames(node *yaml.Node, parse func(string) (string, error), all string) ([]string, map[string]*yaml.Node) {
	var names []string
	at := make(map[string]*yaml.Node)
	isList := p.list(node, func(item *yaml.Node) {
		var name string
		text(p, &name, parse)(item)
		switch {
		case name == "":
		case at[name] != nil:
			p.warn(item, "named twice")
		default:
			at[name] = item
			names = append(names, name)
		}
	})
	if isList && len(node.Content) == 0 {
		p.error(node, fmt.Sprintf("empty; name some, or remove the key for all %s", all))
	}
	slices.Sort(names)
	return names, at
}

func (p *parser) readCommunities(node *yaml.Node, into *Attributes) {
	var all []community
	p.list(node, func(item *yaml.Node) {
		var one *community
		either(p, &one, optional(parseCommunity))(item)
		switch {
		case one == nil:
		case slices.Contains(all, *one):
			p.warn(item, "named twice")
		case one.isLarge:
			into.LargeCommunities = append(into.LargeCommunities, one.large)
			all = append(all, *one)
		default:
			into.Communities = append(into.Communities, one.standard)
			all = append(all, *one)
		}
	})
	slices.Sort(into.Communities)
	slices.SortFunc(into.LargeCommunities, func(a, b LargeCommunity) int {
		return cmp.Or(cmp.Compare(a.Global, b.Global), cmp.Compare(a.Local1, b.Local1), cmp.Compare(a.Local2, b.Local2))
	})
}
