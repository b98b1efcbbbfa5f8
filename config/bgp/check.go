package bgp

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// checkPeers checks what needs more than one peer, or the local AS.
func (p *parser) checkPeers() {
	if len(p.peers) == 0 {
		if at := cmp.Or(p.at["peers"], p.at["localASN"]); at != nil && len(at.Content) == 0 {
			p.warn(at, "no peer: only nodes with the annotation "+AnnotationPeers+" have one")
		}
		return
	}
	names := make(map[string]placedPeer)
	ends := make(map[end]sharers)
	for _, peer := range p.peers {
		if first, twice := names[peer.Name]; twice {
			p.error(peer.at["name"], fmt.Sprintf("another peer has this name, on line %d", first.at["name"].Line))
		} else if peer.Name != "" {
			names[peer.Name] = peer
		}
		if peer.end() != (end{}) {
			ends[peer.end()] = p.checkSharers(ends[peer.end()], peer)
		}
		if peer.Multihop > 0 && p.isInternal(peer.Peer) && peer.BFD == nil { // which it is another with (RFC 5883)
			p.warn(peer.at["multihop"], "without effect: a session inside an AS is not bound to one hop")
		}
	}
}

// end is the router's end of a session.
type end struct {
	address netip.Addr
	iface   string
}

func (p Peer) end() end { return end{p.Address, p.Interface} }

// SameWay tells whether a peer's session goes the way of q's, from this node's end to the
// router.
func (p Peer) SameWay(q Peer) bool {
	return p.end() == q.end() && p.SourceAddress == q.SourceAddress && p.SourceInterface == q.SourceInterface &&
		p.NextHop4 == q.NextHop4 && p.NextHop6 == q.NextHop6
}

// sharers are peers that are one router, by their node selectors; of any node's, by
// "".
type sharers map[string]placedPeer

// checkSharers reports two peers that are one router on a node that has both. Whether
// two selectors fit one node is only seen with the node: ForNode tells.
func (p *parser) checkSharers(others sharers, peer placedPeer) sharers {
	nodes := peer.Nodes.String()
	other, clash := others[nodes]
	if everywhere, ok := others[""]; ok && !clash {
		other, clash = everywhere, true
	}
	if nodes == "" && !clash {
		for _, key := range slices.Sorted(maps.Keys(others)) {
			other, clash = others[key], true
			break
		}
	}
	if clash {
		at := cmp.Or(peer.at["address"], peer.at["interface"])
		p.error(at, fmt.Sprintf("peer %s on line %d has it too, and their nodeSelectors do not part them", quoted(other.Name), other.node.Line))
		return others
	}
	if others == nil {
		others = make(sharers)
	}
	others[nodes] = peer
	return others
}

// isInternal tells whether the session is inside an AS; not if a number is missing.
func (p *parser) isInternal(peer Peer) bool {
	return peer.ASN != 0 && peer.ASN == peer.Local(p.config.LocalASN)
}

// Local returns the nodes' AS towards the peer, given what it is to others.
func (p Peer) Local(asn uint32) uint32 {
	if p.LocalASN != 0 {
		return p.LocalASN
	}
	return asn
}

// checkAdvertisements checks what they say of peers.
func (p *parser) checkAdvertisements() {
	peers := make(map[string]placedPeer)
	for _, peer := range p.peers {
		peers[peer.Name] = peer
	}
	known := slices.Sorted(maps.Keys(peers))
	internal := slices.ContainsFunc(p.peers, p.maybeInternal)
	told := make(map[string]bool)
	all := len(p.advertisements) == 0 // or in doubt
	names := make(map[string]placedAdvertisement)
	for _, a := range p.advertisements {
		if first, twice := names[a.Name]; twice {
			p.error(a.at["name"], fmt.Sprintf("another advertisement has this name, on line %d", first.at["name"].Line))
		} else if a.Name != "" {
			names[a.Name] = a
		}
		inside := a.at["peers"] == nil && internal
		for _, name := range a.Peers {
			peer, ok := peers[name]
			if !ok {
				p.error(a.peers[name], "no such peer"+didYouMean(name, known))
			}
			told[name] = true
			all = all || !ok
			inside = inside || !ok || p.maybeInternal(peer)
		}
		all = all || len(a.Peers) == 0
		if a.Attributes.LocalPreference != nil && !inside && len(peers) > 0 {
			p.warn(a.at["localPreference"], "without effect: it goes to peers of the own AS only (RFC 4271 section 5.1.5), and all of these are of another; med or asPathPrepend may do")
		}
	}
	for _, peer := range p.peers {
		if !all && !told[peer.Name] && peer.Name != "" {
			p.warn(peer.at["name"], "no advertisement is for this peer: it is told nothing")
		}
	}
}

// mostCommunities is how many bytes of a message, which has 4096 (RFC 4271 section 4.1),
// communities may take, whatever else there is.
const mostCommunities = 3600

// checkCommunities checks that a message has room for those of all advertisements: they are
// united where several are of one prefix.
func (p *parser) checkCommunities() {
	const standard, large = 4, 12 // bytes
	all := make(map[uint32]bool)
	allLarge := make(map[LargeCommunity]bool)
	for _, a := range p.advertisements {
		for _, c := range a.Attributes.Communities {
			all[c] = true
		}
		for _, c := range a.Attributes.LargeCommunities {
			allLarge[c] = true
		}
		if len(all)*standard+len(allLarge)*large > mostCommunities {
			p.error(a.at["communities"], fmt.Sprintf("%d communities, with those of the advertisements before: more than a message has room for, which is %d bytes, of %d each, a large one of %d",
				len(all)+len(allLarge), mostCommunities, standard, large))
			return
		}
	}
}

// maybeInternal tells whether the session is inside an AS, as far as numbers without
// a fault tell.
func (p *parser) maybeInternal(peer placedPeer) bool {
	return peer.ASN == 0 || peer.Local(p.config.LocalASN) == 0 || p.isInternal(peer.Peer)
}
