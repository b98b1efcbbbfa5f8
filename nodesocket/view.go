package nodesocket

import (
	"fmt"

	"github.com/heraldlb/herald/announcer"
)

// viewMessages carries a view in as many frames as its members take. Members
// and complaints beyond the bounds are left out.
func viewMessages(v announcer.View) []*message {
	v.Complaints = v.Complaints[:min(len(v.Complaints), maxComplaints)]
	cut := parts(v.Members[:min(len(v.Members), maxMembers)], memberBytes)
	v.Members = cut[0]
	messages := []*message{{Kind: kindView, View: &v, More: len(cut) > 1}}
	for i, members := range cut[1:] {
		messages = append(messages, &message{Kind: kindView, View: &announcer.View{Members: members}, More: i+2 < len(cut)})
	}
	return messages
}

// joinView adds what a message says to what those before it said; so may be nil.
func joinView(so *announcer.View, m *message) (*announcer.View, error) {
	switch {
	case m.View == nil:
		return nil, fmt.Errorf("%w: %q without any", errUnexpected, m.Kind)
	case so == nil:
		return m.View, nil
	case len(so.Members)+len(m.View.Members) > maxMembers:
		return nil, fmt.Errorf("view of more than %d members", maxMembers)
	}
	so.Members = append(so.Members, m.View.Members...)
	return so, nil
}
