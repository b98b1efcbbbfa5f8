package membership

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

const (
	// batchesAtOnce bounds what is taken in from one socket before the next.
	batchesAtOnce = 64
	// faultsAtOnce bounds the errors without a cause that are read at once, and
	// faultsUntilBroken how often in a row that may be before the socket is given up.
	faultsAtOnce, faultsUntilBroken = 4, 16
)

// drain takes in all that was received by now.
func (t *thread) drain() {
	i := 1 // in the same order
	for _, s := range t.now.links {
		for _, l := range s.lines {
			if !l.broken.Load() {
				t.drainLine(s, l.port, t.polls[i].Revents)
			}
			if l.broken.Load() {
				t.polls[i].Fd = -1 // which is not waited for
			}
			i++
		}
	}
}

// drainLine empties one socket, and sees to it that it does not wake a real-time
// thread for ever: one that tells of errors again and again, and brings nothing, is
// given up.
func (t *thread) drainLine(s *segment, p *port, events int16) {
	came, failed := t.drainPort(s, p)
	// Somebody who sent was told of the error in the place of who receives. A thread
	// that is not alert does not wait for errors.
	if events&unix.POLLERR != 0 || p.errors.Load() {
		p.errors.Store(false)
		came = t.readErrors(p) || came
	}
	switch {
	case came:
		p.faults = 0
	case failed || events&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
		p.faults++
	}
	if p.faults >= faultsUntilBroken {
		t.giveUp(p)
	}
}

// giveUp leaves a port to the desk. The thread does not touch it any more.
func (t *thread) giveUp(p *port) {
	p.broken.Store(true)
	t.suspend(t.clock()) // who is not heard because of it is not dead
	t.signal = true
}

// drainPort empties one socket. A flood may keep it from that: then silence is not
// held against anybody, for what is not yet read may break it. It reports whether
// anything came, and whether there were errors without a cause.
func (t *thread) drainPort(s *segment, p *port) (came, failed bool) {
	faults := 0
	for range batchesAtOnce {
		before := t.clock()
		n, err := t.batch.Receive(p.fd, 0)
		switch {
		case err == unix.EAGAIN: //nolint:errorlint // an errno
			p.emptied = before
			return came, faults > 0
		case err != nil && t.readErrors(p):
			came = true
			continue
		case err != nil:
			if faults++; faults == faultsAtOnce {
				return came, true
			}
			continue
		}
		came = true
		t.takeBatch(s, p, n)
		if n < datagram.BatchSize {
			p.emptied = before
			return came, faults > 0
		}
		if now := t.clock(); now >= t.due {
			t.beat(now)
		}
	}
	t.suspend(t.clock())
	return came, faults > 0
}

func (t *thread) suspend(now moment) {
	t.counts.overflow.Add(1)
	t.detect.suspend(now)
}

func (t *thread) takeBatch(s *segment, p *port, n int) {
	now := time.Now()
	clock := now.Sub(t.begin)
	for i := range n {
		d := t.batch.Datagram(i)
		if d.Losses != p.losses { // it wraps around
			p.losses = d.Losses
			t.suspend(clock)
		}
		// The stamp is of a clock that may jump. But it came since the socket was
		// empty, and before now.
		at := min(max(clock-time.Duration(now.UnixNano()-d.Stamp), p.emptied), clock)
		if why := t.take(s, p, &d, at); why != taken {
			t.note(why, p, d.Source)
		}
	}
}

// take checks a datagram, what is cheap before what is dear.
func (t *thread) take(s *segment, p *port, d *datagram.Datagram, at moment) drop {
	switch {
	case d.Oversized:
		return drop(wire.Oversized)
	case d.Hops != wire.HopLimit:
		return drop(wire.HopLimitTooLow)
	case d.Source.Port() != t.options.Port:
		return otherPort
	case len(t.now.keys) == 0 && !s.onLink(d.Source.Addr()):
		return drop(wire.OffLink)
	}
	opened, reason := t.now.opener.Open(d.Data)
	if reason != wire.Accepted {
		return drop(reason)
	}
	switch opened.Kind {
	case wire.KindHeartbeat:
		return t.takeHeartbeat(p, &opened, d.Source.Addr(), at)
	case wire.KindClaims:
		return t.takeClaims(&opened, d)
	default:
		return t.takeRefusal(&opened)
	}
}

func (t *thread) takeHeartbeat(p *port, opened *wire.Datagram, source netip.Addr, at moment) drop {
	if reason := opened.Heartbeat(&t.decoded); reason != wire.Accepted {
		return drop(reason)
	}
	h := &t.heard
	*h = hearing{
		at: at, link: p.link, source: source, traffic: p.traffic,
		node: opened.Name, incarnation: opened.Incarnation, sequence: opened.Sequence,
		interval: t.decoded.Interval, multiplier: int(t.decoded.Multiplier),
		standing: t.decoded.Standing, leaving: t.decoded.Leaving, farewell: t.decoded.Farewell,
		prefixes: t.decoded.Prefixes, digest: t.decoded.Digest,
	}
	why := t.detect.hear(h)
	if why == drop(wire.Superseded) || why == drop(wire.Replayed) {
		t.refuse(p, h)
	}
	return why
}

// refuse tells the sender of a heartbeat that it is behind what is known of it.
func (t *thread) refuse(p *port, h *hearing) {
	known, sequence, ok := t.detect.refusal(h)
	if !ok || t.muted {
		return
	}
	header := wire.Header{Incarnation: t.incarnation.Load(), Sequence: max(sequence, 1), Name: t.name}
	body := wire.Refusal{Node: h.node, Incarnation: known.Incarnation}
	b, err := t.now.sealer.AppendRefusal(t.buffer[:0], &header, &body)
	if err != nil {
		return // an incarnation that cannot be surpassed
	}
	to := datagram.NewAddress(netip.AddrPortFrom(h.source, t.options.Port), p.link)
	t.transmit(p, b, &to)
}

// takeRefusal takes a higher incarnation than others know of this node's name. So it
// does, too, where they know of a higher sequence of this one: what they know of
// other sequences is as far ahead.
func (t *thread) takeRefusal(opened *wire.Datagram) drop {
	var body wire.Refusal
	if reason := opened.Refusal(&body); reason != wire.Accepted {
		return drop(reason)
	}
	if string(body.Node) != t.options.Node {
		return taken
	}
	if self := t.incarnation.Load(); body.Incarnation > self || body.Incarnation == self && opened.Sequence > t.sequence {
		t.detect.self.Incarnation = body.Incarnation + 1
		t.incarnation.Store(body.Incarnation + 1)
		t.signal = true
		t.soon(t.clock())
	}
	return taken
}

// takeClaims passes a datagram on.
func (t *thread) takeClaims(opened *wire.Datagram, d *datagram.Datagram) drop {
	id, why := t.detect.claims(opened.Name, opened.Incarnation, opened.Sequence, d.Source.Addr())
	if why != taken {
		return why
	}
	slot := t.claims.reserve()
	if slot == nil {
		return overrun
	}
	slot.from, slot.length = id, copy(slot.data[:], d.Data)
	t.claims.stage()
	t.signal = true
	return taken
}

// readErrors takes in what ICMP said of datagrams that were sent, and reports
// whether there was any. A flood of it does not hold the thread.
func (t *thread) readErrors(p *port) (came bool) {
	for range batchesAtOnce {
		n, err := t.batch.Receive(p.fd, unix.MSG_ERRQUEUE)
		if err != nil {
			break
		}
		came = true
		now := t.clock()
		for i := range n {
			if d := t.batch.Datagram(i); d.Refused {
				t.detect.refused(now, p.link, d.Source.Addr())
			}
		}
	}
	return came
}
