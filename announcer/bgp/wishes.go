package bgp

import (
	"slices"
	"sync"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// wishes are the families that a router wants to be told again (RFC 2918), each once
// however often it asks.
type wishes struct {
	// there: there are some.
	there chan struct{}

	mu    sync.Mutex
	asked []packet.Family
}

func newWishes() *wishes { return &wishes{there: make(chan struct{}, 1)} }

// add adds one, if it is of a family that there is.
func (w *wishes) add(family packet.Family) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(families[:], family) || slices.Contains(w.asked, family) {
		return
	}
	w.asked = append(w.asked, family)
	select {
	case w.there <- struct{}{}:
	default:
	}
}

// take returns them, and forgets them.
func (w *wishes) take() []packet.Family {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := w.asked
	w.asked = nil
	return asked
}
