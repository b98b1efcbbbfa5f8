package l2

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// protocol is what a responder needs of ARP or NDP.
type protocol interface {
	Parse([]byte, *frame.Message) frame.Fault
	Reply([]byte, frame.MAC, *frame.Message) int
}

// responder answers on one interface for the addresses of one family.
type responder struct {
	protocol  protocol
	mac       frame.MAC
	epoch     uint64
	owned     atomic.Pointer[owned]
	counters  *counters
	sightings *sightings

	rx, tx *batch
	// got is how many frames of rx hold something, queued how many of tx.
	got, queued int
	// sent is how many of those queued are gone.
	sent    int
	errno   unix.Errno
	message frame.Message
}

// frameSize is the longest frame that is read whole. The longest that makes
// sense is a solicitation with the options of RFC 3971.
const frameSize = 1024

func newResponder(p protocol, mac frame.MAC, epoch uint64, c *counters, sightings *sightings) *responder {
	r := &responder{
		protocol: p, mac: mac, epoch: epoch, counters: c, sightings: sightings,
		rx: newBatch(frameSize),
		tx: newBatch(frame.MaxReply),
	}
	r.owned.Store(new(owned))
	return r
}

// serve answers until the connection is closed or fails for good.
func (r *responder) serve(conn syscall.RawConn) error {
	receive, send := r.receive, r.send // bound once: a method value allocates
	for {
		if err := conn.Read(receive); err != nil {
			return err
		}
		// The interface went down: the socket says so once, and works again
		// when it is up.
		if r.errno == unix.ENETDOWN {
			continue
		}
		if r.errno != 0 {
			return r.errno
		}
		r.answer()
		for r.sent < r.queued {
			if err := conn.Write(send); err != nil {
				return err
			}
		}
	}
}

// receive fills rx; it reports whether the system call is done.
func (r *responder) receive(fd uintptr) bool {
	r.got, r.errno = r.rx.receive(fd)
	return r.errno != unix.EAGAIN
}

// answer reads the frames in rx, and puts the replies in tx.
func (r *responder) answer() {
	set := r.owned.Load()
	r.queued, r.sent = 0, 0
	for i := range r.got {
		r.handle(set, r.rx.received(i))
	}
}

func (r *responder) handle(set *owned, b []byte) {
	m := &r.message
	if fault := r.protocol.Parse(b, m); fault != frame.None {
		r.counters.drops[fault].Add(1)
		return
	}
	// A station with our own MAC is this one, seen by a detour.
	if m.From == r.mac {
		return
	}
	if m.Uses.IsValid() && set.role(m.Uses) != ignored {
		r.sightings.add(sighting{addr: m.Uses, mac: m.From, epoch: r.epoch})
	}
	if !m.Asks.IsValid() {
		return
	}
	switch set.role(m.Asks) {
	case answered:
		r.counters.requests.Add(1)
		r.tx.setLength(r.queued, r.protocol.Reply(r.tx.buffer(r.queued), r.mac, m))
		r.queued++
	case watched:
		if m.Probe() {
			r.sightings.add(sighting{addr: m.Asks, mac: m.From, probe: true, epoch: r.epoch})
		}
	case ignored:
	}
}

// send sends what is left of tx; it reports whether it need not be called
// again as soon as the socket has room.
func (r *responder) send(fd uintptr) bool {
	n, errno := r.tx.send(fd, r.sent, r.queued)
	switch {
	case errno == unix.EAGAIN:
		return false
	case errno != 0:
		// The interface has no room (ENOBUFS), or is down: the client asks again.
		r.counters.unsent.Add(uint64(r.queued - r.sent))
		r.sent = r.queued
	default:
		r.counters.replies.Add(uint64(n))
		r.sent += n
	}
	return true
}
