package l2

import (
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// sighting is a frame by which a station showed that it uses, or is about to
// use, an address that is watched or answered here.
type sighting struct {
	addr netip.Addr
	mac  frame.MAC
	// probe: the station only asks if the address is in use, to use it itself.
	probe bool
	// epoch is that of the interface that it was seen on.
	epoch uint64
}

// sightings are those that wait for the loop, the newest of each address,
// interface and kind: no flood about one address hides another, and there are
// no more than addresses.
type sightings struct {
	mu     sync.Mutex
	newest map[sightingKey]frame.MAC
	wake   chan struct{}
}

type sightingKey struct {
	addr  netip.Addr
	epoch uint64
	probe bool
}

func newSightings() *sightings {
	return &sightings{newest: make(map[sightingKey]frame.MAC), wake: make(chan struct{}, 1)}
}

// add reports a sighting. It does not wait for the loop.
func (s *sightings) add(seen sighting) {
	s.mu.Lock()
	s.newest[sightingKey{addr: seen.addr, epoch: seen.epoch, probe: seen.probe}] = seen.mac
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what was reported since the last call.
func (s *sightings) take() []sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]sighting, 0, len(s.newest))
	for k, mac := range s.newest {
		all = append(all, sighting{addr: k.addr, mac: mac, probe: k.probe, epoch: k.epoch})
	}
	clear(s.newest)
	return all
}
