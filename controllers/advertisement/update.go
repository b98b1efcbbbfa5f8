package advertisement

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

// complaint is what somebody has to mend, with the reason of the event that tells of
// it, "" if none does.
type complaint struct{ reason, text string }

// update does what is stale, and looks at the sessions. It returns when it is to be
// called again at the latest, 0 if it need not be.
func (a *Advertiser) update(ctx context.Context) (again time.Duration) {
	a.mu.Lock()
	todo, synced, c := a.stale, a.synced, a.config
	if synced {
		a.stale = stale{}
	}
	addresses, passwords := maps.Clone(a.addresses), a.passwords
	next := a.done
	a.mu.Unlock()
	if !synced {
		return 0
	}
	before := next
	// A host without a Node may have no way to its routers yet.
	todo.selection = todo.selection || a.cluster.alone && todo.links && len(next.own) == 0 && time.Since(next.linksRead) >= linksPause
	if todo.selection {
		todo.links, todo.plan = true, true
		next.node = a.cluster.node(ctx, a.o.Node, next.node)
		next.selection, next.complaints = selectFor(c, next.node)
		next.settled = time.Now()
		a.needSecret(ctx, next.selection)
	}
	if left := linksPause - time.Since(next.linksRead); todo.links && !todo.selection && left > 0 {
		a.postponeLinks()
		todo.links, again = false, left
	}
	if todo.links {
		next.linksRead = time.Now()
		ends, err := a.endsOf(next, before)
		if err != nil {
			a.log.Error("next hops may be out of date", "error", err, "retry", retry)
			a.postponeLinks()
			again = retry
		}
		todo.plan = todo.plan || !slices.Equal(ends, next.ends)
		next.ends = ends
	}
	if todo.plan {
		next.peers = plan(situation{
			selection: next.selection,
			passwords: passwords.known, ends: next.ends, addresses: addresses,
		})
		next.complaints = append(kept(next.complaints), nothingTold(c, next.selection, next.peers, addresses)...)
		a.speaker.Set(next.peers)
	}
	return soonest(again, a.look(next, passwords, todo.selection))
}

// postponeLinks leaves the links stale, and wakes nobody.
func (a *Advertiser) postponeLinks() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stale.links = true
}

// look takes note of how the sessions stand, and of what was done.
func (a *Advertiser) look(next done, passwords passwords, anew bool) (again time.Duration) {
	before := next.sessions
	next.sessions = withheld(next.selection.peers, before, passwords, a.o.Secret.String())
	for _, s := range a.speaker.Sessions() {
		// The speaker may not have ended yet one whose password is gone: it counts once.
		if !slices.ContainsFunc(next.sessions, func(w bgp.Session) bool { return w.Peer == s.Peer }) {
			next.sessions = append(next.sessions, s)
		}
	}
	slices.SortFunc(next.sessions, func(a, b bgp.Session) int { return cmp.Compare(a.Peer, b.Peer) })
	moved := !slices.EqualFunc(before, next.sessions, alike)
	if moved {
		next.settled = time.Now()
	}
	a.mu.Lock()
	watched, changed, again := a.paths.watch(next, time.Now())
	a.done = next
	a.mu.Unlock()
	if changed {
		if err := a.watch(watched); err != nil {
			a.log.Error("the announcer is not told what paths to watch by BFD", "error", err)
		}
	}
	if anew {
		if err := a.appear(next.selection.unnumbered()); err != nil {
			a.log.Error("the announcer is not told where a router has to learn of this node", "error", err)
		}
	}
	if moved || anew {
		a.reports()
	}
	return soonest(again, a.journal.note(time.Now(), next.sessions, next.complaints, a.tell(next.node)))
}

// unnumbered returns the interfaces of peers that have no address, sorted.
func (s *selection) unnumbered() []string {
	all := []string{} // not nil: that there are none is known
	for _, p := range s.peers {
		if p.Interface != "" {
			all = append(all, p.Interface)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// alike says whether two sessions are the same to an Outcome.
func alike(a, b bgp.Session) bool {
	return a.Peer == b.Peer && (a.State == bgp.Established) == (b.State == bgp.Established) &&
		(a.Withheld > a.Withheld6) == (b.Withheld > b.Withheld6) && (a.Withheld6 > 0) == (b.Withheld6 > 0) && a.Why == b.Why
}

func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// selectFor returns what c says for a node, its annotations included, and what is
// wrong with those.
func selectFor(c *config.Config, n node) (*selection, []complaint) {
	if c == nil {
		return new(selection), nil
	}
	forNode, errs := config.ForNode(c, n.name, n.labels, n.annotations, n.own)
	var complaints []complaint
	for _, err := range errs {
		complaints = append(complaints, complaint{EventConfigInvalid, err.Error()})
	}
	return selected(forNode), complaints
}

// kept are the complaints that do not come from a plan.
func kept(all []complaint) []complaint {
	return slices.DeleteFunc(slices.Clone(all), func(c complaint) bool { return c.reason != EventConfigInvalid })
}

// endsOf returns this node's end of the session with each peer of next. Where that is not
// to be found out, it is what it was before.
func (a *Advertiser) endsOf(next, before done) ([]end, error) {
	if len(next.selection.peers) == 0 {
		return nil, nil
	}
	l, err := a.links()
	if err != nil {
		l = links{route: nowhere}
	}
	ends := make([]end, len(next.selection.peers))
	for i, p := range next.selection.peers {
		was := slices.IndexFunc(before.selection.peers, func(b config.Peer) bool { return b.SameWay(p) })
		if err != nil && was >= 0 && was < len(before.ends) {
			ends[i] = before.ends[was]
			continue
		}
		ends[i] = l.end(p, next.own)
	}
	return ends, err
}

func nowhere(netip.Addr) (int, netip.Addr, bool) { return 0, netip.Addr{}, false }

// nothingTold complains of selectors that select nothing: with an event if this node
// tells nobody anything, though it should.
func nothingTold(c *config.Config, s *selection, peers []bgp.Peer, addresses map[netip.Addr]Address) []complaint {
	if len(addresses) == 0 {
		return nil
	}
	nothing := func(text string) []complaint {
		return []complaint{{EventNothingSelected, fmt.Sprintf("%s, so none of %d addresses is advertised by this node", text, len(addresses))}}
	}
	switch {
	case c == nil:
		return nothing("there is no " + config.Key)
	case len(s.peers) == 0:
		return nothing("no peer of " + config.Key + " selects this node")
	case len(s.advertisements) == 0:
		return nothing("no advertisement of " + config.Key + " selects this node")
	}
	var idle []complaint
	for i := range s.advertisements {
		if ad := &s.advertisements[i]; !ad.any(addresses) {
			idle = append(idle, complaint{text: fmt.Sprintf("advertisement %q selects none of %d addresses", ad.Name, len(addresses))})
		} else if len(ad.peers) == 0 {
			idle = append(idle, complaint{text: fmt.Sprintf("advertisement %q is for no peer of this node's", ad.Name)})
		}
	}
	tells := func(p bgp.Peer) bool { return len(p.Routes) > 0 }
	if len(peers) > 0 && !slices.ContainsFunc(peers, tells) {
		return append(idle, nothing("no advertisement of "+config.Key+" selects any, for a peer of this node's")...)
	}
	return idle
}

func (a *advertisement) any(addresses map[netip.Addr]Address) bool {
	for _, address := range addresses {
		if a.matches(address) {
			return true
		}
	}
	return false
}
