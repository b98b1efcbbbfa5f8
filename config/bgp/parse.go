package bgp

import (
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/fault"
	"github.com/heraldlb/herald/config/internal/yamltext"
)

// Faults are what is wrong with a bgp.yaml, in the order of its lines.
type Faults = fault.Faults

// Parse reads a bgp.yaml. It returns every fault, and a Config unless one of them
// is an Error: what is broken in part is refused as a whole.
func Parse(text string) (*Config, Faults) {
	var p parser
	return p.finish(p.parse(text))
}

// parser reads the nodes of the YAML into a Config, and collects the faults.
type parser struct {
	fault.Collector
	config         Config
	at             nodes // the top level's
	peers          []placedPeer
	advertisements []placedAdvertisement
}

// parse reads the text, and tells whether it is YAML at all.
func (p *parser) parse(value string) bool {
	root := p.decode(value)
	if root == nil {
		return false
	}
	p.at = p.object(root, p.fields())
	return true
}

// fields are those of the top level.
func (p *parser) fields() fields {
	return fields{
		{
			name: "localASN", required: true, example: "64512",
			content: number(p, &p.config.LocalASN, asNumber()),
			text:    "the nodes' autonomous system",
		},
		{
			name: "routerID", example: "192.0.2.11",
			content: text(p, &p.config.RouterID, identifier()),
			usual:   "each node's first IPv4 address, or a hash of its name where it has none",
			text:    "the BGP identifier of all nodes; nodes differ by it, so it is for a single one",
		},
		{
			name: "peers", example: "[{name: rack, address: 192.0.2.1, asn: 64500}]",
			content: content{
				kind:   "list of peers",
				read:   func(value *yaml.Node) { p.list(value, p.readPeer) },
				fields: func() fields { return p.fieldsOfPeer(&placedPeer{Peer: newPeer()}) },
			},
			text: "the routers",
		},
		{
			name: "advertisements", example: "[{name: everything, med: 50}]",
			content: content{
				kind:   "list of advertisements, not empty",
				read:   p.readAdvertisements,
				fields: func() fields { return p.fieldsOfAdvertisement(&placedAdvertisement{Advertisement: everything()}) },
			},
			usual: "every address to every peer, as it is",
			text:  "what is told to whom",
		},
	}
}

func (p *parser) readAdvertisements(list *yaml.Node) {
	if p.list(list, p.readAdvertisement) && len(list.Content) == 0 {
		p.error(list, "empty; remove the key to tell every address to every peer")
	}
}

// finish runs the checks that need more than one peer or advertisement.
func (p *parser) finish(read bool) (*Config, Faults) {
	if read {
		p.checkPeers()
		p.checkAdvertisements()
		p.checkCommunities()
	}
	faults := p.Sorted()
	if len(faults.Errors()) > 0 {
		return nil, faults
	}
	for _, peer := range p.peers {
		p.config.Peers = append(p.config.Peers, peer.Peer)
	}
	for _, a := range p.advertisements {
		p.config.Advertisements = append(p.config.Advertisements, a.Advertisement)
	}
	slices.SortFunc(p.config.Peers, func(a, b Peer) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.config.Advertisements, func(a, b Advertisement) int { return strings.Compare(a.Name, b.Name) })
	return &p.config, faults
}

// decode returns the one document's root, or nil after a fault.
func (p *parser) decode(value string) *yaml.Node {
	lines := yamltext.NewReader(value)
	decoder := yaml.NewDecoder(lines)
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		p.error(&yaml.Node{Line: 1, Column: 1}, "empty; it has at least localASN and peers")
		return nil
	case err != nil:
		p.broken(lines, err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.error(&second, "a second document; there is one")
	case !errors.Is(err, io.EOF):
		p.broken(lines, err)
		return nil
	}
	root := document.Content[0]
	if isNull(root) {
		p.error(root, "empty; it has at least localASN and peers")
		return nil
	}
	return root
}

// broken reports that a text is no YAML, as far as the decoder came.
func (p *parser) broken(text *yamltext.Reader, err error) {
	line, column := text.Here()
	p.error(&yaml.Node{Line: line, Column: column}, "not YAML: "+yamltext.Reason(err))
}
