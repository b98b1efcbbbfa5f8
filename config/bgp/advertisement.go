package bgp

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

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
	a.at = p.object(node, p.fieldsOfAdvertisement(&a))
	if a.at == nil {
		return
	}
	p.advertisements = append(p.advertisements, a)
}

// fieldsOfAdvertisement are those of an advertisement, which is of everything.
func (p *parser) fieldsOfAdvertisement(a *placedAdvertisement) fields {
	attributes := &a.Attributes
	return fields{
		{
			name: "name", required: true, example: "shop",
			content: text(p, &a.Name, objectName()),
			text:    "what `herald status` and events call it; where several set what a route has but once, the first by name counts",
		},
		{
			name: "pools", example: "[shop, global]",
			content: content{
				kind: "list of namespaces, or `global`",
				read: func(value *yaml.Node) { a.Pools, a.pools = p.readNames(value, parsePool, "pools") },
			},
			usual: "all pools",
			text:  "the pools whose addresses it is of",
		},
		{
			name: "serviceSelector", example: "{matchLabels: {tier: front}}",
			content: p.selector(&a.Services),
			usual:   "all Services",
			text:    "the Services whose addresses it is of, by their labels",
		},
		{
			name: "nodeSelector", example: "{matchExpressions: [{key: example.com/edge, operator: Exists}]}",
			content: p.selector(&a.Nodes),
			usual:   "all nodes",
			text:    "the nodes that tell, by their labels",
		},
		{
			name: "peers", example: "[rack]",
			content: content{
				kind: "list of names of peers",
				read: func(value *yaml.Node) { a.Peers, a.peers = p.readNames(value, parseName, "peers") },
			},
			usual: "all peers",
			text:  "the peers that are told",
		},
		{
			name: "communities", example: `["64512:100", "64512:1:2", no-export]`,
			content: content{
				kind: "list of standard ones (RFC 1997), `N:N` up to 65535, large ones (RFC 8092), `N:N:N`, and names: " + strings.Join(communityNames(), ", "),
				read: func(value *yaml.Node) { p.readCommunities(value, attributes) },
			},
			text: "communities of the routes",
		},
		{
			name: "localPreference", example: "200",
			content: number(p, &attributes.LocalPreference, orNone(within[uint32](0, math.MaxUint32))),
			usual:   "100",
			text:    "to peers of the nodes' own autonomous system alone (RFC 4271 section 5.1.5)",
		},
		{
			name: "med", example: "50",
			content: number(p, &attributes.MED, orNone(within[uint32](0, math.MaxUint32))),
			text:    "MULTI_EXIT_DISC: the lower, the better (RFC 4271 section 5.1.4)",
		},
		{
			name: "asPathPrepend", example: "2",
			content: number(p, &attributes.Prepend, within[uint8](0, mostPrepend)),
			usual:   "0",
			text:    "how many times more than once the nodes' AS stands in the path",
		},
		{
			name: "aggregationLength", example: "{ipv4: 24, ipv6: 64}",
			content: content{
				kind:   "map",
				read:   func(value *yaml.Node) { p.object(value, p.fieldsOfAggregation(a)) },
				fields: func() fields { return p.fieldsOfAggregation(a) },
			},
			text: "tell of prefixes of this length in place of the addresses in them",
		},
	}
}

func (p *parser) fieldsOfAggregation(a *placedAdvertisement) fields {
	return fields{
		{
			name: "ipv4", example: "24",
			content: number(p, &a.AggregationLength4, within[uint8](1, hostLength4)),
			text:    "of IPv4 addresses",
		},
		{
			name: "ipv6", example: "64",
			content: number(p, &a.AggregationLength6, within[uint8](1, hostLength6)),
			text:    "of IPv6 addresses",
		},
	}
}

// readNames reads a list of names, which it returns sorted, and where each stands.
func (p *parser) readNames(node *yaml.Node, parse func(string) (string, error), all string) ([]string, map[string]*yaml.Node) {
	var names []string
	at := make(map[string]*yaml.Node)
	isList := p.list(node, func(item *yaml.Node) {
		var name string
		scalar(p, &name, parse, tagString)(item)
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
		scalar(p, &one, optional(parseCommunity), anyTag()...)(item)
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
