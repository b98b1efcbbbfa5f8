package nodesocket

import (
	"fmt"
	"net/netip"

	"github.com/heraldlb/herald/announcer"
)

// desired carries out what one agent says. It starts with a snapshot, which
// takes effect as a whole or not at all.
type desired struct {
	sink Sink

	// snapshot collects the frames of a snapshot until the last.
	snapshot []announcer.Candidacy
	complete bool
	// facts collects those that are told in several frames.
	facts *announcer.Facts
	// told are the addresses that stand, to bound them.
	told map[netip.Addr]struct{}
}

func (d *desired) handle(m *message) error {
	switch m.Kind {
	case kindSnapshot:
		return d.collect(m)
	case kindFacts:
		return d.collectFacts(m)
	default:
	}
	if !d.complete {
		return fmt.Errorf("%w: %q before the end of the snapshot", errUnexpected, m.Kind)
	}
	switch m.Kind {
	case kindPut:
		return d.put(m.Candidacies)
	case kindDelete:
		for _, addr := range m.Addresses {
			delete(d.told, addr)
			d.sink.Delete(addr)
		}
		return nil
	default:
		return fmt.Errorf("%w: %q from an agent", errUnexpected, m.Kind)
	}
}

func (d *desired) collect(m *message) error {
	if d.complete {
		return fmt.Errorf("%w: a second snapshot", errUnexpected)
	}
	if len(d.snapshot)+len(m.Candidacies) > MaxAddresses {
		return fmt.Errorf("snapshot of more than %d addresses", MaxAddresses)
	}
	for _, c := range m.Candidacies {
		if err := Validate(c); err != nil {
			return err
		}
	}
	d.snapshot = append(d.snapshot, m.Candidacies...)
	if m.More {
		return nil
	}
	d.told = make(map[netip.Addr]struct{}, len(d.snapshot))
	for _, c := range d.snapshot {
		d.told[c.Address] = struct{}{}
	}
	d.sink.Replace(d.snapshot)
	d.snapshot, d.complete = nil, true
	return nil
}

func (d *desired) put(candidacies []announcer.Candidacy) error {
	for _, c := range candidacies {
		if err := Validate(c); err != nil {
			return err
		}
		if d.told[c.Address] = struct{}{}; len(d.told) > MaxAddresses {
			return fmt.Errorf("more than %d addresses", MaxAddresses)
		}
		d.sink.Put(c)
	}
	return nil
}

func (d *desired) collectFacts(m *message) error {
	facts, err := joinFacts(d.facts, m)
	if err != nil {
		return err
	}
	if d.facts = facts; !m.More {
		d.sink.Facts(*facts)
		d.facts = nil
	}
	return nil
}
