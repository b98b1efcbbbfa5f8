package announcement

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/nodesocket"
)

// What is beyond the announcer's bounds is left out by name, and keeps nothing else from it.
func TestBeyondBounds(t *testing.T) {
	var told announcer.Facts
	a := &agent{surroundings: &surroundings{tell: func(f announcer.Facts) error {
		told = f
		return nodesocket.ValidateFacts(f)
	}}}

	var routers []announcer.BFDPeer
	for i := range nodesocket.MaxBFD + 1 {
		address := netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})
		routers = append(routers, announcer.BFDPeer{Address: address, Interval: time.Second, Multiplier: 3})
	}
	last := routers[nodesocket.MaxBFD].Address.String()
	if err := a.tellPaths(routers); err == nil || !strings.Contains(err.Error(), last) {
		t.Errorf("told of %d paths: %v, want an error that names %s", len(routers), err, last)
	}
	if len(told.BFD) != nodesocket.MaxBFD {
		t.Errorf("%d paths are watched, want %d", len(told.BFD), nodesocket.MaxBFD)
	}

	var interfaces []string
	for i := range nodesocket.MaxUnnumbered + 1 {
		interfaces = append(interfaces, fmt.Sprintf("eth%d", i))
	}
	last = interfaces[nodesocket.MaxUnnumbered]
	if err := a.tellUnnumbered(interfaces); err == nil || !strings.Contains(err.Error(), last) {
		t.Errorf("told of %d interfaces: %v, want an error that names %s", len(interfaces), err, last)
	}
	if len(told.Unnumbered) != nodesocket.MaxUnnumbered {
		t.Errorf("%d interfaces are told, want %d", len(told.Unnumbered), nodesocket.MaxUnnumbered)
	}
}
