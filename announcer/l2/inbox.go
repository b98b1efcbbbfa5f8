package l2

import (
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/announcer"
)

// inbox takes orders at any time from anybody, and keeps for each address the
// newest until the loop has time for it.
type inbox struct {
	mu sync.Mutex
	// wanted are all announcements that are to stand.
	wanted map[netip.Addr]announcer.Announcement
	// changed are the addresses of which the loop does not know, in the order
	// of the first change.
	changed []netip.Addr
	marked  map[netip.Addr]bool
	// again are those of changed that are to be announced anew if they stand.
	again map[netip.Addr]bool
	wake  chan struct{}
}

// order is what is to be done about an address: to announce it, or no longer.
type order struct {
	announcer.Announcement
	wanted bool
	// again: if it was announced before, it is to be announced anew.
	again bool
}

func newInbox() *inbox {
	return &inbox{
		wanted: make(map[netip.Addr]announcer.Announcement),
		marked: make(map[netip.Addr]bool),
		again:  make(map[netip.Addr]bool),
		wake:   make(chan struct{}, 1),
	}
}

func (b *inbox) put(all []announcer.Announcement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range all {
		b.want(a)
	}
	b.notify()
}

func (b *inbox) delete(addrs []netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, addr := range addrs {
		b.drop(addr)
	}
	b.notify()
}

func (b *inbox) renew(addrs []netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, addr := range addrs {
		if _, ok := b.wanted[addr]; ok {
			b.again[addr] = true
			b.mark(addr)
		}
	}
	b.notify()
}

func (b *inbox) want(a announcer.Announcement) {
	if standing, ok := b.wanted[a.Address]; ok && standing == a {
		return
	}
	b.wanted[a.Address] = a
	b.mark(a.Address)
}

func (b *inbox) drop(addr netip.Addr) {
	if _, ok := b.wanted[addr]; !ok {
		return
	}
	delete(b.wanted, addr)
	// Should it be wanted back before the loop knows, others may have answered.
	b.again[addr] = true
	b.mark(addr)
}

func (b *inbox) mark(addr netip.Addr) {
	if !b.marked[addr] {
		b.marked[addr] = true
		b.changed = append(b.changed, addr)
	}
}

func (b *inbox) notify() {
	if len(b.changed) == 0 {
		return
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns what changed since the last call, one order an address.
func (b *inbox) take() []order {
	b.mu.Lock()
	defer b.mu.Unlock()
	orders := make([]order, 0, len(b.changed))
	for _, addr := range b.changed {
		a, wanted := b.wanted[addr]
		a.Address = addr
		orders = append(orders, order{Announcement: a, wanted: wanted, again: wanted && b.again[addr]})
	}
	b.changed = nil
	clear(b.marked)
	clear(b.again)
	return orders
}
