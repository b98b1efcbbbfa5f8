package bgp

import (
	"cmp"
	"fmt"
	"maps"
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
	for i, peer := range p.peers {
		if first, twice := names[peer.Name]; twice {
			p.error(peer.at["name"], fmt.Sprintf("another peer has this name, on line %d", first.at["name"].Line))
		} else if peer.Name != "" {
			names[peer.Name] = peer
		}
		for _, other := range p.peers[:i] {
			p.checkSame(other, peer)
		}
		if peer.Multihop > 0 && p.isInternal(peer.Peer) {
			p.warn(peer.at["multihop"], "without effect: a session inside an AS is not bound to one hop")
		}
	}
}

// checkSame reports two peers that are one router on a node that has both. Whether
// two selectors fit one node is only seen with the node: ForNode tells.
func (p *parser) checkSame(first, second placedPeer) {
	if !sameEnd(first.Peer, second.Peer) {
		return
	}
	if a, b := first.Nodes.String(), second.Nodes.String(); a != b && a != "" && b != "" {
		return
	}
	at := second.at["address"]
	if at == nil {
		at = second.at["interface"]
	}
	p.error(at, fmt.Sprintf("peer %s on line %d has it too, and their nodeSelectors do not part them", quoted(first.Name), first.node.Line))
}

// sameEnd tells whether two peers are one router.
func sameEnd(a, b Peer) bool {
	return a.Address == b.Address && a.Interface == b.Interface && (a.Address.IsValid() || a.Interface != "")
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
	told := make(map[string]bool)
	doubt := false // one that is told may have another name
	for _, peer := range p.peers {
		peers[peer.Name] = peer
	}
	names := make(map[string]placedAdvertisement)
	for _, a := range p.advertisements {
		if first, twice := names[a.Name]; twice {
			p.error(a.at["name"], fmt.Sprintf("another advertisement has this name, on line %d", first.at["name"].Line))
		} else if a.Name != "" {
			names[a.Name] = a
		}
		selected := a.Peers
		doubt = doubt || len(selected) == 0 && a.at["peers"] != nil
		if a.at["peers"] == nil {
			selected = slices.Sorted(maps.Keys(peers))
		}
		internal, known := false, 0
		for _, name := range selected {
			peer, ok := peers[name]
			if !ok {
				doubt = true
				p.error(a.peers[name], "no such peer"+didYouMean(name, slices.Sorted(maps.Keys(peers))))
				continue
			}
			told[name] = true
			known++
			internal = internal || peer.ASN == 0 || p.config.LocalASN == 0 || p.isInternal(peer.Peer)
		}
		if a.Attributes.LocalPreference != nil && known > 0 && !internal {
			p.warn(a.at["localPreference"], "without effect: it goes to peers of the own AS only (RFC 4271 section 5.1.5), and all of these are of another; med or asPathPrepend may do")
		}
	}
	for _, peer := range p.peers {
		if len(p.advertisements) > 0 && !doubt && !told[peer.Name] && peer.Name != "" {
			p.warn(peer.at["name"], "no advertisement is for this peer: it is told nothing")
		}
	}
}
