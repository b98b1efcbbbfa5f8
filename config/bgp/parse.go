package bgp

import (
	"errors"
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
func (p *parser) decode(value string) *yaml.Node {
	lines := lineReader{rest: value}
	decoder := yaml.NewDecoder(&lines)
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		p.error(&yaml.Node{Line: 1, Column: 1}, "empty; it has at least localASN and peers")
		return nil
	case err != nil:
		p.error(lines.here(), syntax(err))
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.error(&second, "a second document; there is one")
	case !errors.Is(err, io.EOF):
		p.error(lines.here(), syntax(err))
		return nil
	}
	root := document.Content[0]
	if isNull(root) {
		p.error(root, "empty; it has at least localASN and peers")
		return nil
	}
	return root
}

// syntax says why a text is no YAML. The line that the decoder tells is where the
// list or map began, if that.
func syntax(err error) string {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	if _, after, ok := strings.Cut(reason, ": "); ok && strings.HasPrefix(reason, "line ") {
		reason = after
	}
	return "not YAML: " + strings.ReplaceAll(reason, "\n", " ")
}

// lineReader gives a text to the decoder line by line, so that it is known how far
// that came.
type lineReader struct {
	rest string // of the text
	line string // which was begun
	read int    // lines begun
	left int    // of the line, in bytes
}

// Read implements io.Reader.
func (r *lineReader) Read(into []byte) (int, error) {
	if r.rest == "" {
		return 0, io.EOF
	}
	if r.left == 0 {
		r.line, _, _ = strings.Cut(r.rest, "\n")
		r.left = min(len(r.line)+len("\n"), len(r.rest))
		r.read++
	}
	n := copy(into, r.rest[:r.left])
	r.rest, r.left = r.rest[n:], r.left-n
	return n, nil
}

// here returns the place of the line that was begun last.
func (r *lineReader) here() *yaml.Node {
	indent := len(r.line) - len(strings.TrimLeft(r.line, " \t"))
	return &yaml.Node{Line: max(r.read, 1), Column: indent + 1}
}
