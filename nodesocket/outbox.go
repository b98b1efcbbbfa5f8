package nodesocket

import (
	"net/netip"
	"sync"
)

// outbox holds the newest value of each address, and which of them the peer
// has not been told. Changes of one address fold into the last, so writing to
// it never waits, whether the peer is slow or absent.
type outbox[V any] struct {
	// wake holds a token while there may be something to take.
	wake chan struct{}
	// bytes is how much of a frame a value takes at most.
	bytes func(V) int
	// last says that a value need not be kept once it was told; may be nil.
	last func(V) bool

	mu     sync.Mutex
	values map[netip.Addr]V
	dirty  map[netip.Addr]struct{}
}

func newOutbox[V any](bytes func(V) int, last func(V) bool) *outbox[V] {
	return &outbox[V]{
		wake:   make(chan struct{}, 1),
		bytes:  bytes,
		last:   last,
		values: make(map[netip.Addr]V),
		dirty:  make(map[netip.Addr]struct{}),
	}
}

// signal wakes the reader.
func (o *outbox[V]) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox[V]) get(addr netip.Addr) (V, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.values[addr]
	return v, ok
}

// set returns false, and does nothing, if addr is one too many.
func (o *outbox[V]) set(addr netip.Addr, v V) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, held := o.values[addr]; !held && len(o.values) >= MaxAddresses {
		return false
	}
	o.values[addr] = v
	o.dirty[addr] = struct{}{}
	o.signal()
	return true
}

// amend changes a value that the peer was told, for peers to come.
func (o *outbox[V]) amend(addr netip.Addr, change func(V) V) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, untold := o.dirty[addr]
	if v, held := o.values[addr]; held && !untold {
		o.values[addr] = change(v)
	}
}

func (o *outbox[V]) remove(addr netip.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, held := o.values[addr]; !held {
		return
	}
	delete(o.values, addr)
	o.dirty[addr] = struct{}{}
	o.signal()
}

// all returns every value and takes them as told.
func (o *outbox[V]) all() []V {
	o.mu.Lock()
	defer o.mu.Unlock()
	values := make([]V, 0, len(o.values))
	for _, v := range o.values {
		values = append(values, v)
	}
	clear(o.dirty)
	return values
}

// restart has every value told anew, to a new peer. What is gone needs no
// telling: the peer never heard of it.
func (o *outbox[V]) restart() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.dirty)
	for addr := range o.values {
		o.dirty[addr] = struct{}{}
	}
}

// take returns changes, as many as two frames hold, and takes them as told: the
// new values, and the addresses that no longer have one.
func (o *outbox[V]) take() (changed []V, gone []netip.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	valuesRoom, goneRoom := room, room
	for addr := range o.dirty {
		v, held := o.values[addr]
		if !held {
			if goneRoom -= addressBytes; goneRoom < 0 {
				break
			}
			delete(o.dirty, addr)
			gone = append(gone, addr)
			continue
		}
		if valuesRoom -= o.bytes(v); valuesRoom < 0 && len(changed) > 0 {
			break
		}
		delete(o.dirty, addr)
		changed = append(changed, v)
		if o.last != nil && o.last(v) {
			delete(o.values, addr)
		}
	}
	return changed, gone
}
