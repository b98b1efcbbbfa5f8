package membership

import (
	"net/netip"
	"sync/atomic"

	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

// port is the socket of one interface and family.
type port struct {
	link    int
	name    string
	is4     bool
	fd      int
	traffic *traffic
	// broken: the thread gave it up. Nobody uses it from then on; the desk opens
	// another in its place.
	broken atomic.Bool
	// errors: a sender was told of one in the place of who receives. What they are
	// of stays in the queue of errors, and takes up the room for datagrams.
	errors atomic.Bool

	// The thread's own.

	// losses is the last count of datagrams that the socket had no room for.
	losses uint32
	// emptied is when the socket was last found empty: what comes after is later.
	emptied moment
	// faults are how often in a row it told of errors and brought nothing.
	faults int
}

// orders are what the thread works by. They are not changed; others take their
// place.
type orders struct {
	number  uint64
	links   []*segment
	cluster uint64
	keys    [][]byte
	sealer  *wire.Sealer
	opener  *wire.Opener
}

// segment is an interface to beat on.
type segment struct {
	index    int
	told     []netip.Prefix // what heartbeats tell
	prefixes []netip.Prefix
	lines    []line
	// datagram is the last heartbeat. It is the thread's.
	datagram []byte
}

// line is a port of a segment, and where its heartbeats go.
type line struct {
	*port
	to []datagram.Address
}

// onLink reports whether a host with that address can be on the segment.
func (s *segment) onLink(addr netip.Addr) bool {
	if addr.Is6() && addr.IsLinkLocalUnicast() {
		return true
	}
	for _, p := range s.prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func family(is4 bool) string {
	if is4 {
		return "IPv4"
	}
	return "IPv6"
}
