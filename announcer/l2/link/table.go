package link

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
)

// table is what the notifications said so far.
type table struct {
	links map[int]*entry
	// epochs counts those that were given out.
	epochs uint64
}

type entry struct {
	Interface
	// ethernet is false for other kinds, and until the link itself is known.
	ethernet bool
	// ups is how often the carrier came, as the kernel counts.
	ups uint32
	// addresses are false while they are tentative.
	addresses map[address]bool
}

func newTable() *table { return &table{links: make(map[int]*entry)} }

func (t *table) entry(index int) *entry {
	e, ok := t.links[index]
	if !ok {
		e = &entry{Interface: Interface{Index: index}, addresses: make(map[address]bool)}
		t.links[index] = e
	}
	return e
}

// setLink takes in what a link is now, and reports whether that is news.
func (t *table) setLink(l linkMessage) bool {
	e := t.entry(l.index)
	was := e.Interface
	known := e.ethernet
	// A link may go down and come up between two notifications.
	flapped := l.counted && e.ups != l.ups
	e.Name, e.MAC, e.Up, e.ethernet = l.name, l.mac, l.up, l.ethernet
	if l.counted {
		e.ups = l.ups
	}
	if e.Up && (!was.Up || flapped || was.MAC != e.MAC || was.Name != e.Name) {
		t.epochs++
		e.Epoch = t.epochs
	}
	return known != e.ethernet || was.Up != e.Up || was.Epoch != e.Epoch || was.MAC != e.MAC || was.Name != e.Name
}

// deleteLink forgets a link; the kernel takes its addresses away before.
func (t *table) deleteLink(index int) bool {
	_, known := t.links[index]
	delete(t.links, index)
	return known
}

func (t *table) setAddress(a addressMessage) bool {
	addresses := t.entry(a.index).addresses
	proven, known := addresses[a.address]
	addresses[a.address] = !a.tentative
	return !known || proven == a.tentative
}

func (t *table) deleteAddress(index int, a address) bool {
	e, ok := t.links[index]
	if !ok {
		return false
	}
	_, known := e.addresses[a]
	delete(e.addresses, a)
	return known
}

// replace makes the table what a dump of everything shows. What was known and
// is unchanged keeps its epoch.
func (t *table) replace(links []linkMessage, addresses []addressMessage) {
	present := make(map[int]bool, len(links))
	for _, l := range links {
		present[l.index] = true
		t.setLink(l)
	}
	maps.DeleteFunc(t.links, func(index int, _ *entry) bool { return !present[index] })
	for _, e := range t.links {
		clear(e.addresses)
	}
	for _, a := range addresses {
		if present[a.index] {
			t.setAddress(a)
		}
	}
}

// interfaces returns the Ethernet interfaces, sorted by index.
func (t *table) interfaces() []Interface {
	all := []Interface{}
	for _, e := range t.links {
		if e.ethernet {
			i := e.Interface
			i.Prefixes, i.LinkLocal = e.prefixes(), e.linkLocal()
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b Interface) int { return cmp.Compare(a.Index, b.Index) })
	return all
}

// linkLocal returns the lowest where there are several.
func (e *entry) linkLocal() (found netip.Addr) {
	for a, proven := range e.addresses {
		if proven && a.local.Is6() && a.local.IsLinkLocalUnicast() && (!found.IsValid() || a.local.Less(found)) {
			found = a.local
		}
	}
	return found
}

func (e *entry) prefixes() []netip.Prefix {
	var all []netip.Prefix
	for a := range e.addresses {
		if !a.prefix.IsSingleIP() {
			all = append(all, a.prefix)
		}
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	return slices.Compact(all)
}
