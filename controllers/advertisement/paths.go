package advertisement

import (
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/announcer"
)

// paths are those to routers, as BFD has them (RFC 5882). A session is reset when a
// path that was up is not any more; a path that is down is no reason not to begin one,
// since the router may not speak BFD (section 4.1).
type paths struct {
	// watched is nil until it is known what is to be.
	watched []announcer.BFDPeer
	// peers are whose paths they are.
	peers map[netip.Addr]string
	last  map[netip.Addr]announcer.BFDStatus
	// found are the routers of sessions by interface.
	found map[string]netip.Addr
}

func newPaths() *paths {
	return &paths{peers: make(map[netip.Addr]string), last: make(map[netip.Addr]announcer.BFDStatus), found: make(map[string]netip.Addr)}
}

// watch returns what the announcer is to watch, and whether that is news.
func (p *paths) watch(d done) ([]announcer.BFDPeer, bool) {
	for _, s := range d.sessions {
		if s.Address.IsValid() {
			p.found[s.Peer] = s.Address
		}
	}
	watched := []announcer.BFDPeer{}
	peers := make(map[netip.Addr]string)
	for _, peer := range d.selection.peers {
		at := peer.Address
		if peer.Interface != "" {
			at = p.found[peer.Name]
		}
		if _, twice := peers[at]; peer.BFD == nil || !at.IsValid() || twice {
			continue
		}
		peers[at] = peer.Name
		watched = append(watched, announcer.BFDPeer{
			Address: at, Source: peer.SourceAddress, Multihop: peer.Multihop > 0,
			Interval: peer.BFD.Interval, Multiplier: peer.BFD.Multiplier,
		})
	}
	if p.watched != nil && slices.Equal(watched, p.watched) {
		return nil, false
	}
	for addr := range p.last { // what is watched in another way begins anew
		same := func(b announcer.BFDPeer) bool { return b.Address == addr && slices.Contains(p.watched, b) }
		if !slices.ContainsFunc(watched, same) {
			delete(p.last, addr)
		}
	}
	p.watched, p.peers = watched, peers
	return watched, true
}

// observe takes how the paths are, and returns those that were lost.
func (p *paths) observe(statuses []announcer.BFDStatus) []announcer.BFDStatus {
	var lost []announcer.BFDStatus
	for _, s := range statuses {
		if _, watched := p.peers[s.Address]; !watched {
			continue
		}
		before, known := p.last[s.Address]
		p.last[s.Address] = s
		if !known || s.State == announcer.BFDAdminDown {
			continue // which says nothing of the path (RFC 5882 section 4.2)
		}
		if s.Diagnostic == announcer.BFDNeighborDown {
			continue // it is heard, and knows of the other itself: FRR begins BFD anew with each BGP session
		}
		left := before.State == announcer.BFDUp && s.State != announcer.BFDUp
		if left || s.Flaps > before.Flaps {
			lost = append(lost, s)
		}
	}
	return lost
}

// ObservePaths is told how the announcer sees the paths that it watches.
func (a *Advertiser) ObservePaths(statuses []announcer.BFDStatus) {
	a.mu.Lock()
	lost := a.paths.observe(statuses)
	reset := make(map[string]string)
	for _, s := range lost {
		reset[a.paths.peers[s.Address]] = "BFD: " + s.Diagnostic
	}
	a.mu.Unlock()
	for peer, reason := range reset {
		a.log.Warn("the path to a router is down", "peer", peer, "reason", reason)
		a.speaker.Reset(peer, reason)
	}
}

// ForgetPaths says that the announcer is another, or away: what it saw before is not
// to be compared with.
func (a *Advertiser) ForgetPaths() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.paths.last)
}
