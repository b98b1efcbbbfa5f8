package ipam

import "hash/maphash"

// label is an owner's name in its holding. It is there in place, so comparing it
// costs no cache miss of its own, unless it is too long.
type label struct {
	text [maxShort]byte
	size uint8 // tooLong for a name that is kept in longNames
}

const (
	maxShort = 23 // fills the holding's cache line
	tooLong  = maxShort + 1
)

// label sets the name of the owner of i.
func (hs *holdings) label(i uint32, name string) {
	l := &hs.all[i].name
	if len(name) <= maxShort {
		l.size = uint8(copy(l.text[:], name))
	} else {
		l.size, hs.longNames[i] = tooLong, name
	}
}

// unlabel forgets the name of the owner of i.
func (hs *holdings) unlabel(i uint32) {
	if l := &hs.all[i].name; l.size == tooLong {
		hs.longNames[i] = ""
	}
}

// name returns the name of the owner of i.
func (hs *holdings) name(i uint32) string {
	if l := &hs.all[i].name; l.size != tooLong {
		return string(l.text[:l.size])
	}
	return hs.longNames[i]
}

// named reports whether this is the name of the owner of i, without a copy of it.
func (hs *holdings) named(i uint32, name string) bool {
	if l := &hs.all[i].name; l.size != tooLong {
		return string(l.text[:l.size]) == name
	}
	return hs.longNames[i] == name
}

// hash returns what hashOwner does for the owner of i.
func (hs *holdings) hash(i uint32) uint32 {
	h := &hs.all[i]
	if h.name.size != tooLong {
		return mix(maphash.Bytes(hs.seed, h.name.text[:h.name.size]), h.namespace)
	}
	return hs.hashOwner(h.namespace, hs.longNames[i])
}

func (hs *holdings) hashOwner(namespace uint32, name string) uint32 {
	return mix(maphash.String(hs.seed, name), namespace)
}

func mix(name uint64, namespace uint32) uint32 { return uint128{name, uint64(namespace)}.hash() }
