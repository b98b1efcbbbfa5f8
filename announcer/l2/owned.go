package l2

import (
	"maps"
	"net/netip"
)

// role says what is done about an address on an interface.
type role uint8

const (
	// ignored: nothing; the address is not ours.
	ignored role = iota
	// watched: who uses the address is reported, questions are not answered.
	watched
	// answered: as watched, and questions are answered.
	answered
)

// owned is the set of addresses of one family on one interface. It never
// changes, so that the responder needs no lock. It is cut in shards, so that
// the next set shares with this one what is the same.
type owned struct {
	shards [256]map[netip.Addr]role
	size   int
}

// role returns the role of addr.
func (o *owned) role(addr netip.Addr) role { return o.shards[shard(addr)][addr] }

// with returns the set after some changes.
func (o *owned) with(changes map[netip.Addr]role) *owned {
	next := *o
	var own [len(next.shards)]bool
	for addr, r := range changes {
		i := shard(addr)
		if !own[i] {
			own[i] = true
			next.shards[i] = maps.Clone(o.shards[i])
		}
		next.size -= len(next.shards[i])
		switch {
		case r == ignored:
			delete(next.shards[i], addr)
		case next.shards[i] == nil:
			next.shards[i] = map[netip.Addr]role{addr: r}
		default:
			next.shards[i][addr] = r
		}
		next.size += len(next.shards[i])
	}
	return &next
}

// shard mixes the bytes in which the addresses of a pool differ.
func shard(addr netip.Addr) uint8 {
	a := addr.As16()
	return a[15] ^ a[14]*31 ^ a[13]*131
}
