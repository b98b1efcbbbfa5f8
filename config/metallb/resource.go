package metallb

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/fault"
)

// object is what all resources have.
type object struct {
	Place
	kind, namespace, name string
	labels                map[string]string
	at                    map[string]Place // its fields, by path below spec
}

// String returns the kind and the name.
func (o object) String() string {
	if !isName(o.name) {
		return o.kind + " " + fault.Quote(o.name)
	}
	return o.kind + " " + o.name
}

// pool is an IPAddressPool.
type pool struct {
	object
	addresses                            []string
	autoAssign, avoidBuggyIPs            bool
	priority                             int
	namespaces                           []string
	namespaceSelectors, serviceSelectors []selector

	// What has become of it.
	scopes     []*scope
	l2, bgp    bool // how MetalLB announces it
	interfaces []string
	everywhere bool // on all interfaces
}

func (r *reader) poolFields(p *pool) fields {
	return fields{
		"addresses":     texts(r, &p.addresses),
		"autoAssign":    boolean(r, &p.autoAssign),
		"avoidBuggyIPs": boolean(r, &p.avoidBuggyIPs),
		"serviceAllocation": func(path string, node *yaml.Node) {
			r.object(path, node, fields{
				"priority":           integer(r, &p.priority),
				"namespaces":         texts(r, &p.namespaces),
				"namespaceSelectors": r.selectors(&p.namespaceSelectors),
				"serviceSelectors":   r.selectors(&p.serviceSelectors),
			})
		},
	}
}

// selected says which pools an advertisement is for.
type selected struct {
	names     []string
	selectors []selector
}

// all tells whether it is for all pools.
func (s selected) all() bool { return len(s.names)+len(s.selectors) == 0 }

// l2Advertisement is an L2Advertisement.
type l2Advertisement struct {
	object
	pools           selected
	nodes, services []selector
	interfaces      []string
	prefers         bool
}

func (r *reader) l2Fields(a *l2Advertisement) fields {
	return fields{
		"ipAddressPools":         texts(r, &a.pools.names),
		"ipAddressPoolSelectors": r.selectors(&a.pools.selectors),
		"nodeSelectors":          r.selectors(&a.nodes),
		"serviceSelectors":       r.selectors(&a.services),
		"interfaces":             texts(r, &a.interfaces),
		"preferredNodeSelectors": r.list(func(path string, node *yaml.Node) {
			a.prefers = true
			var weight int
			var preference selector
			r.object(path, node, fields{"weight": integer(r, &weight), "preference": r.selector(&preference)})
		}),
	}
}

// peer is a BGPPeer, of v1beta1 or v1beta2: what only the latter has is not there.
type peer struct {
	object
	myASN, asn, localASN              uint32
	dynamicASN                        string
	address, iface, source, routerID  string
	port                              uint16
	hold, keepalive, connect          *time.Duration
	nodes                             []selector
	password, secret, secretNamespace string
	profile, vrf                      string
	graceful, multihop, single, both  bool

	wanted Password // with a key if it has one
}

func (r *reader) peerFields(p *peer) fields {
	return fields{
		"myASN":         integer(r, &p.myASN),
		"peerASN":       integer(r, &p.asn),
		"localASN":      integer(r, &p.localASN),
		"dynamicASN":    text(r, &p.dynamicASN),
		"peerAddress":   text(r, &p.address),
		"interface":     text(r, &p.iface),
		"sourceAddress": text(r, &p.source),
		"peerPort":      integer(r, &p.port),
		"holdTime":      duration(r, &p.hold),
		"keepaliveTime": duration(r, &p.keepalive),
		"connectTime":   duration(r, &p.connect),
		"routerID":      text(r, &p.routerID),
		"nodeSelectors": r.selectors(&p.nodes),
		"password":      text(r, &p.password),
		"passwordSecret": func(path string, node *yaml.Node) {
			r.object(path, node, fields{"name": text(r, &p.secret), "namespace": text(r, &p.secretNamespace)})
			if p.secret != "" && !isName(p.secret) || p.secretNamespace != "" && !isName(p.secretNamespace) {
				r.fault(node, "not a Secret's name")
			}
		},
		"bfdProfile":             text(r, &p.profile),
		"enableGracefulRestart":  boolean(r, &p.graceful),
		"ebgpMultiHop":           boolean(r, &p.multihop),
		"vrf":                    text(r, &p.vrf),
		"disableMP":              boolean(r, &p.single),
		"dualStackAddressFamily": boolean(r, &p.both),
	}
}

// bgpAdvertisement is a BGPAdvertisement.
type bgpAdvertisement struct {
	object
	pools            selected
	length4, length6 *int
	localPref        uint32
	prepend          uint8
	communities      []string
	nodes, services  []selector
	peers            []string
}

func (r *reader) bgpFields(a *bgpAdvertisement) fields {
	return fields{
		"ipAddressPools":         texts(r, &a.pools.names),
		"ipAddressPoolSelectors": r.selectors(&a.pools.selectors),
		"aggregationLength":      optional(r, &a.length4),
		"aggregationLengthV6":    optional(r, &a.length6),
		"localPref":              integer(r, &a.localPref),
		"asPathPrepend":          integer(r, &a.prepend),
		"communities":            texts(r, &a.communities),
		"nodeSelectors":          r.selectors(&a.nodes),
		"serviceSelectors":       r.selectors(&a.services),
		"peers":                  texts(r, &a.peers),
	}
}

// bfdProfile is a BFDProfile. Intervals are in milliseconds.
type bfdProfile struct {
	object
	receive, transmit, multiplier, echo, ttl *uint32
	echoMode, passive                        bool
	used                                     bool
}

func (r *reader) profileFields(p *bfdProfile) fields {
	return fields{
		"receiveInterval":  optional(r, &p.receive),
		"transmitInterval": optional(r, &p.transmit),
		"detectMultiplier": optional(r, &p.multiplier),
		"echoInterval":     optional(r, &p.echo),
		"echoMode":         boolean(r, &p.echoMode),
		"passiveMode":      boolean(r, &p.passive),
		"minimumTtl":       optional(r, &p.ttl),
	}
}

// communities is a Community: aliases.
type communities struct {
	object
	aliases []alias
}

type alias struct{ name, value string }

func (r *reader) communityFields(c *communities) fields {
	return fields{"communities": r.list(func(path string, node *yaml.Node) {
		var a alias
		r.object(path, node, fields{"name": text(r, &a.name), "value": text(r, &a.value)})
		c.aliases = append(c.aliases, a)
	})}
}
