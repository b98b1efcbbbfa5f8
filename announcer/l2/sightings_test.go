package l2

import (
	"net/netip"
	"testing"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// The answer to a probe for one address is heard through a flood about another.
func TestSightingsFlood(t *testing.T) {
	owned, probed := netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.11")
	all := newSightings()
	for i := range 10_000 {
		all.add(sighting{addr: owned, mac: frame.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}, epoch: 1})
	}
	answer := sighting{addr: probed, mac: frame.MAC{2, 0, 0, 0, 0, 0x66}, epoch: 1}
	all.add(answer)
	all.add(sighting{addr: probed, mac: frame.MAC{2, 0, 0, 0, 0, 0x67}, epoch: 1, probe: true})
	all.add(sighting{addr: probed, mac: frame.MAC{2, 0, 0, 0, 0, 0x68}, epoch: 2})
	<-all.wake
	found := false
	taken := all.take()
	for _, s := range taken {
		found = found || s == answer
	}
	if !found || len(taken) != 4 {
		t.Errorf("taken: %v, want 4 with %v among them", taken, answer)
	}
	if again := all.take(); len(again) > 0 {
		t.Errorf("taken again: %v", again)
	}
}
