package nodesocket

import (
	"fmt"

	"github.com/heraldlb/herald/announcer"
)

// upstream is the agent's side of one connection: the snapshot when there is
// one, the differences after it, and what the announcer says.
type upstream struct {
	client *Client

	// snapshot is what remains to be told of it.
	snapshot []announcer.Candidacy
	// begun and told say that the snapshot was taken, and sent to its end.
	begun, told bool
	// facts is what was told of them last.
	facts *announcer.Facts

	samples []announcer.Sample
	view    *announcer.View
}

// pending is called by the writer only.
func (u *upstream) pending() []*message {
	if !u.client.synced.Load() {
		return nil
	}
	if facts := u.client.facts.Load(); facts != u.facts {
		u.facts = facts
		return factsMessages(*facts)
	}
	if !u.begun {
		u.snapshot, u.begun = u.client.desired.all(), true
	}
	if !u.told {
		part := u.snapshot[:fit(u.snapshot, candidacyBytes)]
		u.snapshot = u.snapshot[len(part):]
		u.told = len(u.snapshot) == 0
		return []*message{{Kind: kindSnapshot, Candidacies: part, More: !u.told}}
	}
	changed, gone := u.client.desired.take()
	var messages []*message
	if len(changed) > 0 {
		messages = append(messages, &message{Kind: kindPut, Candidacies: changed})
	}
	if len(gone) > 0 {
		messages = append(messages, &message{Kind: kindDelete, Addresses: gone})
	}
	return messages
}

// handle is called by the reader only.
func (u *upstream) handle(m *message) error {
	switch m.Kind {
	case kindStatus:
		for _, status := range m.Statuses {
			u.observe(status)
		}
	case kindSamples:
		if len(u.samples)+len(m.Samples) > maxAllSamples {
			return fmt.Errorf("more than %d samples", maxAllSamples)
		}
		u.samples = append(u.samples, m.Samples...)
		if !m.More {
			u.client.observer.ObserveSamples(u.samples)
			u.samples = nil
		}
	case kindView:
		view, err := joinView(u.view, m)
		if err != nil {
			return err
		}
		if u.view = view; !m.More {
			u.client.observer.ObserveView(*view)
			u.view = nil
		}
	default:
		return fmt.Errorf("%w: %q from an announcer", errUnexpected, m.Kind)
	}
	return nil
}

func (u *upstream) observe(status announcer.Status) {
	if status.State == announcer.Announced || status.State == announcer.Standby && status.Owner != "" {
		// Probed or not, it stands: an announcer that restarts need not probe.
		u.client.desired.amend(status.Address, func(c announcer.Candidacy) announcer.Candidacy {
			c.Probe = false
			return c
		})
	}
	u.client.observer.Observe(status)
}
