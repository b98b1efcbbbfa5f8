package nodesocket

import (
	"fmt"

	"github.com/heraldlb/herald/announcer"
)

// factsMessages carries facts in as many frames as their peers take.
func factsMessages(f announcer.Facts) []*message {
	cut := parts(f.Peers, peerBytes)
	f.Peers = cut[0]
	messages := []*message{{Kind: kindFacts, Facts: &f, More: len(cut) > 1}}
	for i, peers := range cut[1:] {
		messages = append(messages, &message{Kind: kindFacts, Facts: &announcer.Facts{Peers: peers}, More: i+2 < len(cut)})
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
	}
	return so, ValidateFacts(*so)
}
