package nodesocket

import (
	"fmt"
	"net/netip"

	"github.com/heraldlb/herald/announcer"
)

// desired carries out what one agent says. It starts with a snapshot, which
// takes effect as a whole or not at all.
type desired struct {
	sink announcer.Announcer

	// snapshot collects the frames of a snapshot until the last.
	snapshot []announcer.Announcement
	complete bool
	// told are the addresses that stand, to bound them.
	told map[netip.Addr]struct{}
}

func (d *desired) handle(m *message) error {
	if m.Kind == kindSnapshot {
		return d.collect(m)
	}
	if !d.complete {
		return fmt.Errorf("%w: %q before the end of the snapshot", errUnexpected, m.Kind)
	}
	switch m.Kind {
	case kindPut:
		return d.put(m.Announcements)
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
	if len(d.snapshot)+len(m.Announcements) > MaxAddresses {
		return fmt.Errorf("snapshot of more than %d addresses", MaxAddresses)
	}
	for _, a := range m.Announcements {
		if err := Validate(a); err != nil {
			return err
		}
	}
	d.snapshot = append(d.snapshot, m.Announcements...)
	if m.More {
		return nil
	}
	d.told = make(map[netip.Addr]struct{}, len(d.snapshot))
	for _, a := range d.snapshot {
		d.told[a.Address] = struct{}{}
	}
	d.sink.Replace(d.snapshot)
	d.snapshot, d.complete = nil, true
	return nil
}

func (d *desired) put(announcements []announcer.Announcement) error {
	for _, a := range announcements {
		if err := Validate(a); err != nil {
			return err
		}
		if d.told[a.Address] = struct{}{}; len(d.told) > MaxAddresses {
			return fmt.Errorf("more than %d addresses", MaxAddresses)
		}
		d.sink.Put(a)
	}
	return nil
}
