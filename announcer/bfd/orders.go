package bfd

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/heraldlb/herald/announcer/bfd/packet"
	"github.com/heraldlb/herald/internal/datagram"
)

// orders are what the thread works by. They are not changed; others take their place.
type orders struct {
	number uint64
	lines  []*line
	ports  []*port
	// last: there are none after these, and all sessions are to be given up.
	last bool
}

// line is a session, and how its packets are sent.
type line struct {
	discriminator uint32
	address       netip.Addr // without its zone
	link          int        // the index of its zone, or 0
	multihop      bool
	fd            int
	to            datagram.Address
	wish          atomic.Pointer[wish]
	// report is how the session stands; nil before it began.
	report atomic.Pointer[report]
	// begun: the thread has used it. left: it does so no more.
	begun, left atomic.Bool
	// retired is the number of the first orders that it is not in, of one that is given
	// up; the desk's own.
	retired uint64

	// The thread's own.

	session  *session
	reported report
}

// wish is what may change of a session.
type wish struct {
	interval   time.Duration
	multiplier uint8
}

// report is how a session stands.
type report struct {
	state      packet.State
	diagnostic packet.Diagnostic
	// onPurpose: the router has taken it down.
	onPurpose bool
	since     moment
	flaps     uint64
}

// port is a socket that packets are received by.
type port struct {
	portKey
	fd int
	// retired is the number of the first orders that it is not in, of one that is closing.
	retired uint64

	// The thread's own.

	// losses is the last count of datagrams that the socket had no room for.
	losses uint32
	// emptied is when the socket was last found empty: what comes after is later.
	emptied moment
}

type portKey struct{ multihop, is4 bool }

// The UDP ports (RFC 5881 section 4, RFC 5883 section 5).
const (
	singleHopPort = 3784
	multihopPort  = 4784
)

func (k portKey) number() uint16 {
	if k.multihop {
		return multihopPort
	}
	return singleHopPort
}
