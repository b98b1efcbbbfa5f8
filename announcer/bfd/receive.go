package bfd

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/bfd/packet"
	"github.com/heraldlb/herald/internal/datagram"
)

// batchesAtOnce bounds what is taken in from one socket before the next.
const batchesAtOnce = 16

// drain takes in all that was received by now.
func (t *thread) drain() {
	for _, p := range t.now.ports {
		t.drainPort(p)
	}
}

// drainPort empties one socket. A flood may keep it from that: then silence is not held
// against anybody, for what is not yet read may break it.
func (t *thread) drainPort(p *port) {
	for range batchesAtOnce {
		before := t.clock()
		n, err := t.batch.Receive(p.fd, 0)
		if err == unix.EAGAIN { //nolint:errorlint // an errno
			p.emptied = before
			return
		}
		t.pause = before + readPause
		if err != nil {
			return
		}
		t.takeBatch(p, n)
		if n < datagram.BatchSize {
			p.emptied = before
			return
		}
	}
	t.excuse(t.clock(), never, byOverflow)
}

func (t *thread) takeBatch(p *port, n int) {
	now := time.Now()
	clock := now.Sub(t.begin)
	for i := range n {
		d := t.batch.Datagram(i)
		if d.Losses != p.losses { // it wraps around
			p.losses = d.Losses
			t.excuse(clock, never, byOverflow)
		}
		// The stamp is of a clock that may jump. But it came since the socket was
		// empty, and before now.
		at := min(max(clock-time.Duration(now.UnixNano()-d.Stamp), p.emptied), clock)
		if why := t.take(p, &d, at); why != taken {
			t.note(why, d.Source)
		}
	}
}

// take checks a datagram, what is cheap before what is dear, and passes it on.
func (t *thread) take(p *port, d *datagram.Datagram, at moment) drop {
	switch {
	case d.Oversized:
		return drop(packet.BadLength)
	case !p.multihop && d.Hops != hopLimit:
		return hops
	}
	if why := t.decoded.Parse(d.Data); why != packet.Accepted {
		return drop(why)
	}
	l := t.find(p, d)
	if l == nil {
		return unknown
	}
	t.counts.received.Add(1)
	l.session.receive(at, &t.decoded)
	return taken
}

// find returns the session of a packet: by its discriminator, and where it has none, by
// where it is from (RFC 5880 section 6.3). What comes by the port of multihop sessions is
// not believed of others, for it may be from anywhere.
func (t *thread) find(p *port, d *datagram.Datagram) (found *line) {
	for _, l := range t.lines {
		switch {
		case l.multihop != p.multihop || l.address.Is4() != p.is4:
		case t.decoded.Your != 0:
			if l.discriminator == t.decoded.Your {
				return l
			}
		case l.address == d.Source.Addr() && l.link == d.Link:
			// One that is given up comes before the one that takes its place.
			found = l
		}
	}
	return found
}
