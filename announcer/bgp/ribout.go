package bgp

import (
	"maps"
	"net/netip"
	"slices"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// ribOut is what a router was told on a connection (the Adj-RIB-Out, RFC 4271 section
// 3.2). It is pure: UPDATEs are returned, not sent.
type ribOut struct {
	peer   Peer
	router router
	// local is this node's end of the connection.
	local netip.Addr

	told    map[netip.Prefix]entry
	bundles map[string]*bundle
	round   uint32
	key     []byte
}

// entry is a prefix that was told, and the last round that wanted it.
type entry struct {
	bundle *bundle
	round  uint32
}

// bundle is all that prefixes have in common that fit into one UPDATE.
type bundle struct {
	family     packet.Family
	hop        netip.Addr
	attributes []packet.PathAttributeInterface
	// room is how many bytes of NLRI an UPDATE has room for.
	room int
}

// outcome counts what became of the routes of an update.
type outcome struct {
	advertised, withheld, withheld6 int
	// why some are withheld, of the first.
	why string
}

func newRIBOut(peer Peer, r router, local netip.Addr) *ribOut {
	return &ribOut{
		peer: peer, router: r, local: local.Unmap().WithZone(""),
		told: make(map[netip.Prefix]entry), bundles: make(map[string]*bundle),
	}
}

// update returns the UPDATEs that make of what the router was told what it is to be told.
// Withdrawals come first.
func (o *ribOut) update(routes []Route, known NextHops) ([][]byte, outcome, error) {
	o.round++
	var out outcome
	news := make(map[*bundle][]packet.PathNLRI)
	var order []*bundle
	for _, route := range routes {
		hop, why := nextHop(route.Prefix, o.local, known, o.router)
		if why != "" {
			if out.withheld++; out.why == "" {
				out.why = why
			}
			if route.Prefix.Addr().Is6() {
				out.withheld6++
			}
			continue
		}
		prefix := route.Prefix.Masked()
		before := o.told[prefix]
		if before.round == o.round {
			continue
		}
		b, err := o.bundle(route, hop)
		if err != nil {
			return nil, outcome{}, err
		}
		o.told[prefix] = entry{bundle: b, round: o.round}
		if before.bundle == b {
			continue
		}
		nlri, err := nlri(prefix)
		if err != nil {
			return nil, outcome{}, err
		}
		if news[b] == nil {
			order = append(order, b)
		}
		news[b] = append(news[b], nlri)
	}
	out.advertised = len(o.told)
	messages, err := o.forget()
	if err != nil {
		return nil, outcome{}, err
	}
	out.advertised = len(o.told)
	for _, b := range order {
		more, err := b.announce(news[b])
		if err != nil {
			return nil, outcome{}, err
		}
		messages = append(messages, more...)
	}
	return messages, out, nil
}

// again returns all that was told of a family: a router asked for it (RFC 2918).
func (o *ribOut) again(family packet.Family) ([][]byte, error) {
	all := make(map[*bundle][]packet.PathNLRI)
	for prefix, e := range o.told {
		if e.bundle.family != family {
			continue
		}
		nlri, err := nlri(prefix)
		if err != nil {
			return nil, err
		}
		all[e.bundle] = append(all[e.bundle], nlri)
	}
	var messages [][]byte
	for b, nlris := range all {
		more, err := b.announce(nlris)
		if err != nil {
			return nil, err
		}
		messages = append(messages, more...)
	}
	return messages, nil
}

// endOfRIB says that all was told (RFC 4724 section 2), in each family of the session.
func (o *ribOut) endOfRIB() ([][]byte, error) {
	var messages [][]byte
	for _, family := range families {
		if family == packet.RF_IPv4_UC && !o.router.v4 || family == packet.RF_IPv6_UC && !o.router.v6 {
			continue
		}
		m, err := packet.NewEndOfRib(family).Serialize()
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// forget withdraws what this round does not want.
func (o *ribOut) forget() ([][]byte, error) {
	gone := make(map[packet.Family][]packet.PathNLRI)
	for prefix, e := range o.told {
		if e.round == o.round {
			continue
		}
		nlri, err := nlri(prefix)
		if err != nil {
			return nil, err
		}
		gone[e.bundle.family] = append(gone[e.bundle.family], nlri)
	}
	maps.DeleteFunc(o.told, func(_ netip.Prefix, e entry) bool { return e.round != o.round })
	var messages [][]byte
	for _, family := range families {
		for part := range parts(gone[family], maxBody) {
			m := packet.NewBGPUpdateMessage(part, nil, nil)
			if family != packet.RF_IPv4_UC {
				unreach, err := packet.NewPathAttributeMpUnreachNLRI(family, part)
				if err != nil {
					return nil, err
				}
				m = packet.NewBGPUpdateMessage(nil, []packet.PathAttributeInterface{unreach}, nil)
			}
			b, err := m.Serialize()
			if err != nil {
				return nil, err
			}
			messages = append(messages, b)
		}
	}
	return messages, nil
}

// multiprotocol is what MP_REACH_NLRI has beside NLRI (RFC 4760 section 3), and more.
const multiprotocol = 48

// maxBody is what is left of an UPDATE for routes: header and both lengths taken off,
// and what MP_REACH_NLRI or MP_UNREACH_NLRI have beside NLRI.
const maxBody = packet.BGP_MAX_MESSAGE_LENGTH - packet.BGP_HEADER_LENGTH - 4 - multiprotocol

// bundle returns the one that a route is of.
func (o *ribOut) bundle(route Route, hop netip.Addr) (*bundle, error) {
	v4 := route.Prefix.Addr().Is4()
	o.key = appendKey(o.key[:0], v4, hop, route.Attributes)
	if b, ok := o.bundles[string(o.key)]; ok {
		return b, nil
	}
	b := &bundle{family: packet.RF_IPv6_UC, hop: hop, attributes: pathAttributes(o.peer, o.router.wide, route.Attributes), room: maxBody}
	if v4 {
		b.family = packet.RF_IPv4_UC
	}
	for _, attribute := range b.attributes {
		raw, err := attribute.Serialize()
		if err != nil {
			return nil, err
		}
		b.room -= len(raw)
	}
	if b.classic() {
		next, err := packet.NewPathAttributeNextHop(hop)
		if err != nil {
			return nil, err
		}
		// After ORIGIN and AS_PATH.
		b.attributes = slices.Insert(b.attributes, 2, packet.PathAttributeInterface(next))
	}
	o.bundles[string(o.key)] = b
	return b, nil
}

// classic: the routes are told as before there was multiprotocol BGP.
func (b *bundle) classic() bool { return b.family == packet.RF_IPv4_UC && b.hop.Is4() }

// announce returns the UPDATEs of prefixes of the bundle.
func (b *bundle) announce(nlris []packet.PathNLRI) ([][]byte, error) {
	var messages [][]byte
	for part := range parts(nlris, b.room) {
		m := packet.NewBGPUpdateMessage(nil, b.attributes, part)
		if !b.classic() {
			reach, err := packet.NewPathAttributeMpReachNLRI(b.family, part, b.hop)
			if err != nil {
				return nil, err
			}
			// First, as RFC 7606 section 5.1 has it.
			attributes := append([]packet.PathAttributeInterface{reach}, b.attributes...)
			m = packet.NewBGPUpdateMessage(nil, attributes, nil)
		}
		raw, err := m.Serialize()
		if err != nil {
			return nil, err
		}
		messages = append(messages, raw)
	}
	return messages, nil
}

// parts cuts NLRI into what fits into some bytes; never into nothing.
func parts(nlris []packet.PathNLRI, room int) func(func([]packet.PathNLRI) bool) {
	return func(yield func([]packet.PathNLRI) bool) {
		first, size := 0, 0
		for i, n := range nlris {
			length := n.NLRI.Len()
			if i > first && size+length > room {
				if !yield(nlris[first:i]) {
					return
				}
				first, size = i, 0
			}
			size += length
		}
		if first < len(nlris) {
			yield(nlris[first:])
		}
	}
}

func nlri(prefix netip.Prefix) (packet.PathNLRI, error) {
	n, err := packet.NewIPAddrPrefix(prefix)
	return packet.PathNLRI{NLRI: n}, err
}
