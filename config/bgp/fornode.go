package bgp

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// Annotations of a Node that take the place of what the ConfigMap says.
const (
	// AnnotationLocalASN is the node's AS.
	AnnotationLocalASN = "heraldlb.io/bgp-local-asn"
	// AnnotationRouterID is the node's BGP identifier.
	AnnotationRouterID = "heraldlb.io/bgp-router-id"
	// AnnotationSourceAddress is the node's end of its sessions: one address of each
	// family, separated by a comma. Unnumbered and link-local sessions keep theirs.
	AnnotationSourceAddress = "heraldlb.io/bgp-source-address"
	// AnnotationPeers are all of the node's peers, as kube-vip writes them (ParsePeer),
	// separated by commas. One that bgp.yaml has too bears the name it has there. Who may
	// read Nodes reads a password in it.
	AnnotationPeers = "heraldlb.io/bgp-peers"
)

// ForThisNode is what bgp.yaml and the node's annotations say to one node.
type ForThisNode struct {
	LocalASN uint32
	// RouterID is always valid.
	RouterID netip.Addr
	// Peers are sorted by name.
	Peers []Peer
	// Advertisements are those that this node makes, sorted by name. Where bgp.yaml has
	// none, it is one without a name that tells every address to every peer.
	Advertisements []Advertisement
}

// ForNode returns what is of concern to a node, given its labels, annotations, and
// addresses. An annotation that is broken is an error, and what the ConfigMap says
// stays. Peers that are one router on this node are an error too; the first by name
// stays.
func ForNode(c *Config, name string, labelled, annotations map[string]string, own []netip.Addr) (ForThisNode, []error) {
	node := ForThisNode{LocalASN: c.LocalASN, RouterID: c.RouterID}
	set := labels.Set(labelled)
	var errs []error
	for _, peer := range c.Peers {
		if !peer.Nodes.Matches(set) {
			continue
		}
		if at := slices.IndexFunc(node.Peers, func(p Peer) bool { return p.end() == peer.end() }); at >= 0 {
			errs = append(errs, fmt.Errorf("peer %s: on this node it is the same router as peer %s, which stays", quoted(peer.Name), quoted(node.Peers[at].Name)))
			continue
		}
		node.Peers = append(node.Peers, peer)
	}
	errs = append(errs, node.annotate(c, annotations)...)
	if !node.RouterID.IsValid() {
		node.RouterID = routerID(name, own)
	}
	for _, a := range c.Advertisements {
		if a.Nodes.Matches(set) {
			node.Advertisements = append(node.Advertisements, a)
		}
	}
	if len(c.Advertisements) == 0 {
		node.Advertisements = []Advertisement{everything()}
	}
	return node, errs
}

// NodeAnnotation is an annotation of a Node: how it is read, and what the reference says
// of it.
type NodeAnnotation struct {
	Name string
	// Value is what it may be, Default what is so without it.
	Value, Default string
	Example        string
	Text           string

	use func(n *ForThisNode, c *Config, text string) error
}

// NodeAnnotations returns all of them, in the order in which they are heeded.
func NodeAnnotations() []NodeAnnotation {
	return []NodeAnnotation{
		{
			Name: AnnotationLocalASN, Value: asNumber().words, Default: "`localASN` of bgp.yaml", Example: "64513",
			Text: "the node's autonomous system",
			use: func(n *ForThisNode, _ *Config, text string) error {
				return override(&n.LocalASN, text, parseASN)
			},
		},
		{
			Name: AnnotationRouterID, Value: identifier().words, Default: "`routerID` of bgp.yaml", Example: "192.0.2.11",
			Text: "the node's BGP identifier",
			use: func(n *ForThisNode, _ *Config, text string) error {
				return override(&n.RouterID, text, parseRouterID)
			},
		},
		{
			Name: AnnotationPeers, Value: "`ADDRESS:AS[:password[:multihop[:port[:mpbgp[:bfd]]]]]`, as kube-vip has them, separated by commas",
			Default: "`peers` of bgp.yaml", Example: "192.0.2.1:64500,[2001:db8:1::1]:64500::true:1179",
			Text: "all of the node's peers; one that bgp.yaml has too bears the name it has there. Who may read Nodes reads a password in it",
			use: func(n *ForThisNode, c *Config, text string) error {
				peers, err := parsePeers(text)
				if err == nil {
					n.Peers = named(peers, c.Peers)
				}
				return err
			},
		},
		{
			Name: AnnotationSourceAddress, Value: "one IP address of each family, separated by a comma; not link-local",
			Default: "`sourceAddress` of each peer", Example: "192.0.2.11,2001:db8:1::11",
			Text: "the node's end of its sessions but those that are unnumbered or by IPv6 link-local addresses",
			use: func(n *ForThisNode, _ *Config, text string) error { // of the peers above
				sources, err := parseSources(text)
				if err != nil {
					return err
				}
				return n.bind(sources)
			},
		},
	}
}

// override puts what a text says in the place of something.
func override[T any](into *T, text string, parse func(string) (T, error)) error {
	value, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", quoted(text), err)
	}
	*into = value
	return nil
}

// annotate takes the place of what the ConfigMap says, as far as annotations say.
func (n *ForThisNode) annotate(c *Config, annotations map[string]string) (errs []error) {
	for _, one := range NodeAnnotations() {
		text, ok := annotations[one.Name]
		if !ok {
			continue
		}
		if err := one.use(n, c, strings.TrimSpace(text)); err != nil {
			errs = append(errs, fmt.Errorf("annotation %s: %w", one.Name, err))
		}
	}
	return errs
}

// named gives peers the names of those that are the same router, unless another has it.
func named(peers, known []Peer) []Peer {
	for i := range peers {
		at := slices.IndexFunc(known, func(p Peer) bool { return p.end() == peers[i].end() })
		if at >= 0 && !slices.ContainsFunc(peers, func(p Peer) bool { return p.Name == known[at].Name }) {
			peers[i].Name = known[at].Name
		}
	}
	sortPeers(peers)
	return peers
}

// bind gives the sessions their source address, all or none.
func (n *ForThisNode) bind(sources []netip.Addr) error {
	peers := slices.Clone(n.Peers)
	for i := range peers {
		peer := &peers[i]
		if !peer.Address.IsValid() || peer.Address.IsLinkLocalUnicast() && peer.Address.Is6() {
			continue
		}
		for _, source := range sources {
			if source.Is4() != peer.Address.Is4() {
				continue
			}
			if reason := sourceFault(source, peer.Address); reason != "" {
				return fmt.Errorf("%q: peer %s: %s", source, quoted(peer.Name), reason)
			}
			peer.SourceAddress = source
		}
	}
	n.Peers = peers
	return nil
}

// parseSources reads one address of each family, at most.
func parseSources(text string) ([]netip.Addr, error) {
	var sources []netip.Addr
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		source, err := parseHost(item)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", quoted(item), err)
		case source.Is6() && source.IsLinkLocalUnicast():
			return nil, fmt.Errorf("%s: link-local", quoted(item))
		case slices.ContainsFunc(sources, func(a netip.Addr) bool { return a.Is4() == source.Is4() }):
			return nil, errors.New("more than one address of a family")
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// routerID returns the node's first IPv4 address that routers take, else a hash of
// its name. Two nodes of a thousand have the same one time in 4,000.
func routerID(name string, own []netip.Addr) netip.Addr {
	for _, addr := range own {
		if addr = addr.Unmap(); isRouterID(addr) {
			return addr
		}
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // to memory
	octets := [4]byte(hash.Sum(nil))
	const classA = 126 // first octets that are hosts': 1 to 126
	octets[0] = octets[0]%classA + 1
	return netip.AddrFrom4(octets)
}
