package metallb

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/fault"
	"github.com/heraldlb/herald/config/internal/yamltext"
)

// resources are all that were read, each kind in the order of the text.
type resources struct {
	pools       []*pool
	l2          []*l2Advertisement
	peers       []*peer
	bgp         []*bgpAdvertisement
	profiles    []*bfdProfile
	communities []*communities
	unknown     []object // of kinds that MetalLB 0.16 does not have
}

// read reads a stream of documents.
func read(text string) (*resources, []Fault) {
	var r reader
	lines := yamltext.NewReader(text)
	for decoder := yaml.NewDecoder(lines); ; {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, column := lines.Here()
			return nil, append(r.faults, Fault{Place{line, column}, "neither YAML nor JSON: " + yamltext.Reason(err)})
		}
		for _, root := range document.Content {
			r.readObjects(root)
		}
	}
	r.checkNames()
	if len(r.faults) == 0 && r.empty() {
		r.faults = append(r.faults, Fault{Place{1, 1}, "there is no resource of MetalLB's in it, such as an IPAddressPool"})
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int { return a.compare(b.Place) })
	return &r.resources, r.faults
}

func (r *resources) empty() bool {
	return len(r.pools)+len(r.l2)+len(r.peers)+len(r.bgp)+len(r.profiles)+len(r.communities)+len(r.unknown) == 0
}

// readObjects reads an object, or what a list has.
func (r *reader) readObjects(root *yaml.Node) {
	kind := value(root, "kind")
	if kind == "" && (root.Kind != yaml.ScalarNode || root.ShortTag() != tagNull) {
		r.fault(root, "not an object of Kubernetes: it has no kind")
		return
	}
	isList := kind == "List" || strings.HasSuffix(kind, "List") && isMetalLB(value(root, "apiVersion"))
	if !isList {
		r.readObject(root, kind, value(root, "apiVersion"))
		return
	}
	items := field(root, "items")
	if items == nil || items.Kind != yaml.SequenceNode {
		r.fault(root, "a list without items")
		return
	}
	for _, item := range items.Content {
		// The items of a list of one kind need not say it.
		version, itemKind := value(item, "apiVersion"), value(item, "kind")
		if version == "" {
			version = value(root, "apiVersion")
		}
		if itemKind == "" {
			itemKind = strings.TrimSuffix(kind, "List")
		}
		r.readObject(item, itemKind, version)
	}
}

func isMetalLB(apiVersion string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return group == "metallb.io" || group == "metallb.universe.tf"
}

// readObject reads an object of MetalLB's; others are passed over.
func (r *reader) readObject(node *yaml.Node, kind, apiVersion string) {
	if !isMetalLB(apiVersion) {
		return
	}
	o := object{kind: kind, Place: place(node), at: make(map[string]Place)}
	switch kind {
	case "IPAddressPool":
		p := &pool{autoAssign: true}
		p.object = r.readHead(node, o, r.poolFields(p))
		r.pools = append(r.pools, p)
	case "L2Advertisement":
		a := &l2Advertisement{}
		a.object = r.readHead(node, o, r.l2Fields(a))
		r.l2 = append(r.l2, a)
	case "BGPPeer":
		p := &peer{}
		p.object = r.readHead(node, o, r.peerFields(p))
		r.peers = append(r.peers, p)
	case "BGPAdvertisement":
		a := &bgpAdvertisement{}
		a.object = r.readHead(node, o, r.bgpFields(a))
		r.bgp = append(r.bgp, a)
	case "BFDProfile":
		p := &bfdProfile{}
		p.object = r.readHead(node, o, r.profileFields(p))
		r.profiles = append(r.profiles, p)
	case "Community":
		c := &communities{}
		c.object = r.readHead(node, o, r.communityFields(c))
		r.communities = append(r.communities, c)
	case "ServiceL2Status", "ServiceBGPStatus", "ConfigurationState": // what MetalLB itself writes
	default:
		o.kind, o.name = fault.Quote(kind), value(field(node, "metadata"), "name")
		r.unknown = append(r.unknown, o)
	}
}

// readHead reads all of an object, its spec by fields.
func (r *reader) readHead(node *yaml.Node, o object, spec fields) object {
	ignored := func(string, *yaml.Node) {}
	r.at = nil
	r.object("", node, fields{
		"apiVersion": ignored,
		"kind":       ignored,
		"status":     ignored,
		"metadata":   func(_ string, metadata *yaml.Node) { r.readMetadata(metadata, &o) },
		"spec": func(_ string, value *yaml.Node) {
			r.at = o.at
			r.object("", value, spec)
			r.at = nil
		},
	})
	if !isName(o.name) {
		r.fault(node, "no name: metadata.name is that of an object, such as first-pool")
	}
	return o
}

// readMetadata reads what is of use: the API server has checked it, and adds to it.
func (r *reader) readMetadata(metadata *yaml.Node, o *object) {
	if !r.is(metadata, yaml.MappingNode) {
		return
	}
	o.name, o.namespace = value(metadata, "name"), value(metadata, "namespace")
	if o.namespace != "" && !isName(o.namespace) {
		r.fault(metadata, "not a namespace: "+fault.Quote(o.namespace))
	}
	o.labels = make(map[string]string)
	labels := field(metadata, "labels")
	if labels == nil || labels.Kind != yaml.MappingNode {
		return
	}
	for pair := range slices.Chunk(labels.Content, 2) {
		o.labels[pair[0].Value] = pair[1].Value
	}
}

// isName tells whether the API server takes a name (RFC 1123 subdomain).
func isName(name string) bool {
	const most = 253
	return name != "" && len(name) <= most && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || 'z' < c) && (c < '0' || '9' < c) && c != '-' && c != '.'
	})
}

// checkNames reports two objects of one kind and name.
func (r *reader) checkNames() {
	seen := make(map[string]Place)
	for _, o := range r.objects() {
		id := o.kind + " " + o.namespace + "/" + o.name
		if first, twice := seen[id]; twice {
			r.faults = append(r.faults, Fault{o.Place, o.String() + " is there twice, first on line " + strconv.Itoa(first.Line)})
		}
		seen[id] = o.Place
	}
}

func (r *resources) objects() []object {
	var all []object
	for _, o := range r.pools {
		all = append(all, o.object)
	}
	for _, o := range r.l2 {
		all = append(all, o.object)
	}
	for _, o := range r.peers {
		all = append(all, o.object)
	}
	for _, o := range r.bgp {
		all = append(all, o.object)
	}
	for _, o := range r.profiles {
		all = append(all, o.object)
	}
	for _, o := range r.communities {
		all = append(all, o.object)
	}
	return all
}

// field returns the value of a key, or nil if object is no map or has no such key.
func field(object *yaml.Node, key string) *yaml.Node {
	if object == nil || object.Kind != yaml.MappingNode {
		return nil
	}
	for pair := range slices.Chunk(object.Content, 2) {
		if pair[0].Value == key {
			return pair[1]
		}
	}
	return nil
}

// value returns the text of a key's scalar, or "".
func value(object *yaml.Node, key string) string {
	node := field(object, key)
	if node == nil || node.Kind != yaml.ScalarNode || node.ShortTag() == tagNull {
		return ""
	}
	return node.Value
}
