package ipam

// interner keeps one copy of each key in use, counted, and names it by a small
// number: many holdings have few namespaces, port sets and sharing terms.
type interner[K comparable, V any] struct {
	ids     map[K]uint32
	entries []interned[K, V]
	vacant  []uint32
}

type interned[K comparable, V any] struct {
	key        K
	value      V
	references int
}

func newInterner[K comparable, V any]() interner[K, V] {
	return interner[K, V]{ids: make(map[K]uint32)}
}

// acquire returns the number of a key, with one more reference to it. A key that
// was not in use has the zero value.
func (in *interner[K, V]) acquire(key K) uint32 {
	id, found := in.ids[key]
	if found {
		in.retain(id)
		return id
	}
	return in.add(key)
}

func (in *interner[K, V]) add(key K) uint32 {
	var id uint32
	if last := len(in.vacant) - 1; last >= 0 {
		id, in.vacant = in.vacant[last], in.vacant[:last]
	} else {
		id = uint32(len(in.entries))
		in.entries = append(in.entries, interned[K, V]{})
	}
	in.entries[id] = interned[K, V]{key: key, references: 1}
	in.ids[key] = id
	return id
}

func (in *interner[K, V]) retain(id uint32) { in.entries[id].references++ }

// release gives one reference back; the last one forgets the key.
func (in *interner[K, V]) release(id uint32) {
	e := &in.entries[id]
	if e.references--; e.references == 0 {
		delete(in.ids, e.key)
		*e = interned[K, V]{}
		in.vacant = append(in.vacant, id)
	}
}

func (in *interner[K, V]) key(id uint32) K { return in.entries[id].key }

func (in *interner[K, V]) value(id uint32) *V { return &in.entries[id].value }
