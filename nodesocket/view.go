package nodesocket

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heraldlb/herald/announcer"
)

// viewMessages carries a view in as many frames as its members take, and one more for
// BFD sessions. Members, complaints and sessions beyond the bounds are left out.
func viewMessages(v announcer.View) []*message {
	v.Complaints = v.Complaints[:min(len(v.Complaints), maxComplaints)]
	cut := parts(v.Members[:min(len(v.Members), maxMembers)], memberBytes)
	sessions := boundBFD(v.BFD)
	v.Members, v.BFD = cut[0], nil
	messages := []*message{{Kind: kindView, View: &v}}
	for _, members := range cut[1:] {
		messages = append(messages, &message{Kind: kindView, View: &announcer.View{Members: members}})
	}
	if len(sessions) > 0 {
		messages = append(messages, &message{Kind: kindView, View: &announcer.View{BFD: sessions}})
	}
	return chain(messages)
}

func boundBFD(all []announcer.BFDStatus) []announcer.BFDStatus {
	all = slices.Clone(all[:min(len(all), MaxBFD)])
	for i := range all {
		if text := all[i].Diagnostic; len(text) > maxDiagnostic {
			all[i].Diagnostic = strings.ToValidUTF8(text[:maxDiagnostic], "")
		}
	}
	return all
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
	case len(so.BFD)+len(m.View.BFD) > MaxBFD:
		return nil, fmt.Errorf("view of more than %d BFD sessions", MaxBFD)
	}
	so.Members = append(so.Members, m.View.Members...)
	so.BFD = append(so.BFD, m.View.BFD...)
	return so, nil
}
