package announcement

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/nodesocket"
)

// surroundings are the announcer's Facts, gathered from those who know a part of
// them each.
type surroundings struct {
	tell func(announcer.Facts) error

	mu    sync.Mutex
	facts announcer.Facts

	// listing keeps Nodes that were listed earlier from being told later.
	listing sync.Mutex
}

// change has the announcer told of what f changes, unless that is refused.
func (s *surroundings) change(f func(*announcer.Facts)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.facts
	f(&next)
	if err := s.tell(next); err != nil {
		return err
	}
	s.facts = next
	return nil
}

// tellNodes has the announcer told of the Nodes.
func (a *agent) tellNodes(ctx context.Context) error {
	a.surroundings.listing.Lock()
	defer a.surroundings.listing.Unlock()
	nodes, err := a.facts.nodes(ctx)
	if err != nil {
		return err
	}
	peers := slices.DeleteFunc(nodes.peers(a.node), func(peer netip.Addr) bool {
		return nodesocket.ValidateFacts(announcer.Facts{Peers: []netip.Addr{peer}}) != nil
	})
	return a.surroundings.change(func(f *announcer.Facts) {
		f.Excluded = !slices.Contains(nodes.standing, a.node)
		f.Nodes = nodes.count
		f.Peers = peers[:min(len(peers), nodesocket.MaxPeers)]
	})
}

// tellPaths has the announcer told what paths to watch by BFD: one that it would refuse
// keeps none of the others from it.
func (a *agent) tellPaths(routers []announcer.BFDPeer) error {
	valid := []announcer.BFDPeer{} // not nil: that they are known
	var refused []error
	for _, r := range routers {
		if err := nodesocket.ValidateFacts(announcer.Facts{BFD: []announcer.BFDPeer{r}}); err != nil {
			refused = append(refused, err)
			continue
		}
		if len(valid) == nodesocket.MaxBFD {
			refused = append(refused, fmt.Errorf("the path to %s is not watched by BFD: a node watches %d", r.Address, nodesocket.MaxBFD))
			continue
		}
		valid = append(valid, r)
	}
	err := a.surroundings.change(func(f *announcer.Facts) { f.BFD = valid })
	return errors.Join(append(refused, err)...)
}

// tellUnnumbered has the announcer told where routers have to learn of this node: also
// there, one that it would refuse stays alone.
func (a *agent) tellUnnumbered(interfaces []string) error {
	var refused []error
	valid := slices.DeleteFunc(interfaces, func(name string) bool {
		err := nodesocket.ValidateFacts(announcer.Facts{Unnumbered: []string{name}})
		refused = append(refused, err)
		return err != nil
	})
	if n := nodesocket.MaxUnnumbered; len(valid) > n {
		refused = append(refused, fmt.Errorf("routers on %v do not learn of this node: it tells those of %d interfaces", valid[n:], n))
		valid = valid[:n]
	}
	err := a.surroundings.change(func(f *announcer.Facts) { f.Unnumbered = valid })
	return errors.Join(append(refused, err)...)
}

// tellRebalance has the announcer told of the word that asks for the addresses to
// be spread anew.
func (a *agent) tellRebalance(word string) {
	if err := a.surroundings.change(func(f *announcer.Facts) { f.Rebalance = word }); err != nil {
		a.log.Error(err, "the announcer is not told to spread addresses anew", "annotation", AnnotationRebalance)
	}
}
