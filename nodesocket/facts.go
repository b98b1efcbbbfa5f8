package nodesocket

import (
	"fmt"

	"github.com/heraldlb/herald/announcer"
)

// factsMessages carries facts in as many frames as their peers take, and one more for
// routers.
func factsMessages(f announcer.Facts) []*message {
	cut, routers := parts(f.Peers, peerBytes), announcer.Facts{BFD: f.BFD, Unnumbered: f.Unnumbered}
	f.Peers, f.BFD, f.Unnumbered = cut[0], nil, nil
	messages := []*message{{Kind: kindFacts, Facts: &f}}
	for _, peers := range cut[1:] {
		messages = append(messages, &message{Kind: kindFacts, Facts: &announcer.Facts{Peers: peers}})
	}
	if routers.BFD != nil || routers.Unnumbered != nil {
		messages = append(messages, &message{Kind: kindFacts, Facts: &routers})
	}
	return chain(messages)
}

// chain has each message but the last say that another continues it.
func chain(messages []*message) []*message {
	for _, m := range messages[:len(messages)-1] {
		m.More = true
	}
	return messages
}

// joinFacts adds what a message says to what those before it said; so may be nil.
func joinFacts(so *announcer.Facts, m *message) (*announcer.Facts, error) {
	switch {
	case m.Facts == nil:
		return nil, fmt.Errorf("%w: %q without any", errUnexpected, m.Kind)
	case so == nil:
		so = m.Facts
	default:
		so.Peers = append(so.Peers, m.Facts.Peers...)
		so.BFD = append(m.Facts.BFD, so.BFD...) // nil and empty are not the same
		so.Unnumbered = append(m.Facts.Unnumbered, so.Unnumbered...)
	}
	return so, ValidateFacts(*so)
}
