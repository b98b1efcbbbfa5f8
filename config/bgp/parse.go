package bgp

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/fault"
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
	p.at = p.object(root, fields{
		"localASN":       number(p, &p.config.LocalASN, parseASN),
		"routerID":       text(p, &p.config.RouterID, parseRouterID),
		"peers":          func(value *yaml.Node) { p.list(value, p.readPeer) },
		"advertisements": p.readAdvertisements,
	})
	p.require(root, p.at, "localASN")
	return true
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
func (p *parser) decode(text string) *yaml.Node {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		p.error(&yaml.Node{Line: 1, Column: 1}, "empty; it has at least localASN and peers")
		return nil
	case err != nil:
		p.syntax(text, err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.error(&second, "a second document; there is one")
	case !errors.Is(err, io.EOF):
		p.syntax(text, err)
		return nil
	}
	root := document.Content[0]
	if isNull(root) {
		p.error(root, "empty; it has at least localASN and peers")
		return nil
	}
	return root
}

// syntax reports what is no YAML. The decoder tells the line in its error's text
// alone; without it, the fault is of the first.
func (p *parser) syntax(text string, err error) {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	at := &yaml.Node{Line: 1, Column: 1}
	var line int
	if _, scanErr := fmt.Sscanf(reason, "line %d:", &line); scanErr == nil {
		_, reason, _ = strings.Cut(reason, ": ")
		lines := strings.Split(text, "\n")
		at.Line = max(1, min(line, len(lines)))
		culprit := lines[at.Line-1]
		at.Column = len(culprit) - len(strings.TrimLeft(culprit, " \t")) + 1
	}
	p.error(at, "not YAML: "+strings.ReplaceAll(reason, "\n", " "))
}
