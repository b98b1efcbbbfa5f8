package membership

import (
	"net/netip"
	"sync/atomic"
)

// note is the last datagram that was dropped for a reason, for the log. The thread
// writes it while it is not full; the reader empties it.
type note struct {
	full   atomic.Bool
	link   string
	source netip.AddrPort
}

// note counts a datagram that was dropped, and notes where it was from.
func (t *thread) note(d drop, p *port, source netip.AddrPort) {
	t.counts.drops[d].Add(1)
	n := &t.notes[d]
	if !n.full.Load() {
		n.link, n.source = p.name, source
		n.full.Store(true)
	}
}
