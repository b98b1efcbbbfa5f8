package advertisement

import (
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// paths are those to routers, as BFD has them (RFC 5882). A session is reset when a
// path that was up is not any more; a path that is down is no reason not to begin one,
// since the router may not speak BFD (section 4.1).
type paths struct {
	// watched is nil until it is known what is to be, begun is when that was first asked.
	watched []announcer.BFDPeer
	begun   time.Time
	// peers are whose paths they are.
	peers map[netip.Addr]string
	last  map[netip.Addr]announcer.BFDStatus
	// found are the routers of sessions by interface.
	found map[string]netip.Addr
}

func newPaths() *paths {
	return &paths{peers: make(map[netip.Addr]string), last: make(map[netip.Addr]announcer.BFDStatus), found: make(map[string]netip.Addr)}
}

// patience is how long an agent that begins looks for the routers of unnumbered sessions
// before it says what to watch: the announcer gives up what is not named, and goes on with
// what an agent before this one named.
const patience = 5 * time.Second

// watch returns what the announcer is to watch, whether that is news, and when to ask
// again, 0 if that need not be.
func (p *paths) watch(d done, now time.Time) (watched []announcer.BFDPeer, news bool, again time.Duration) {
	for _, s := range d.sessions {
		if s.Address.IsValid() {
			p.found[s.Peer] = s.Address
		}
	}
	if p.begun.IsZero() {
		p.begun = now
	}
	watched = []announcer.BFDPeer{}
	peers := make(map[netip.Addr]string)
	for i, peer := range d.selection.peers {
		at, source := peer.Address, peer.SourceAddress
		if i < len(d.ends) {
			source = d.ends[i].source // as the session has it
		}
		if peer.Interface != "" {
			at = p.found[peer.Name]
			if at.Zone() != peer.Interface {
				at = netip.Addr{} // of an interface that it was on before
			}
			if left := patience - now.Sub(p.begun); peer.BFD != nil && !at.IsValid() && p.watched == nil && left > 0 {
				return nil, false, left
			}
		}
		if _, twice := peers[at]; peer.BFD == nil || !at.IsValid() || twice {
			continue
		}
		peers[at] = peer.Name
		watched = append(watched, announcer.BFDPeer{
			Address: at, Source: source, Multihop: peer.Multihop > 0,
			Interval: peer.BFD.Interval, Multiplier: peer.BFD.Multiplier,
		})
	}
	if p.watched != nil && slices.Equal(watched, p.watched) {
		return nil, false, 0
	}
	for addr := range p.last { // what is watched in another way begins anew
		same := func(b announcer.BFDPeer) bool { return b.Address == addr && slices.Contains(p.watched, b) }
		if !slices.ContainsFunc(watched, same) {
			delete(p.last, addr)
		}
	}
	p.watched, p.peers = watched, peers
	return watched, true, 0
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
