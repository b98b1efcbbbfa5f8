package membership

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

const (
	// autoInterval is that of a small cluster.
	autoInterval = 25 * time.Millisecond
	// segmentRate bounds the heartbeats of all nodes on a segment, per second.
	segmentRate = 2000
	// changePause is between a heartbeat and the next that tells of a change.
	changePause = time.Millisecond
)

// beatInterval is the time between heartbeats.
func (t *thread) beatInterval() time.Duration {
	if t.options.Interval > 0 {
		return t.options.Interval
	}
	families := 1
	for _, s := range t.now.links {
		families = max(families, len(s.lines))
	}
	nodes := len(t.detect.living) + 1
	return min(max(autoInterval, time.Duration(nodes*families)*time.Second/segmentRate), wire.MaxInterval)
}

// soon has the next heartbeat sent as soon as may be.
func (t *thread) soon(now moment) {
	if !t.muted && len(t.now.links) > 0 {
		t.due = min(t.due, max(now, t.sent+changePause))
	}
}

// beat sends a heartbeat on each port.
func (t *thread) beat(now moment) {
	t.sent = now
	if t.muted || len(t.now.links) == 0 {
		t.due = never
		return
	}
	t.said = *t.beacon.Load()
	t.interval = t.beatInterval()
	if t.due += t.interval; t.due <= now || t.due > now+t.interval {
		t.due = now + t.interval
	}
	t.send(false)
}

// part says farewell, twice, and nothing after it.
func (t *thread) part(now moment) {
	t.said = *t.beacon.Load()
	t.interval = t.beatInterval()
	t.sent, t.due = now, never
	t.send(true)
	t.send(true)
	t.muted = true
	close(t.parted)
}

func (t *thread) send(farewell bool) {
	t.sequence++
	header := wire.Header{Incarnation: t.incarnation.Load(), Sequence: t.sequence, Name: t.name}
	body := wire.Heartbeat{
		Interval: t.interval, Multiplier: uint8(t.options.Multiplier),
		Standing: t.said.Standing, Leaving: t.said.Leaving, Farewell: farewell, Digest: t.said.Digest,
	}
	for _, s := range t.now.links {
		body.Prefixes = s.told
		b, err := t.now.sealer.AppendHeartbeat(s.datagram[:0], &header, &body)
		if err != nil {
			t.note(unsent, s.lines[0].port, netip.AddrPort{})
			continue
		}
		s.datagram = b
		for _, l := range s.lines {
			for i := range l.to {
				t.transmit(l.port, b, &l.to[i])
			}
		}
	}
}

func (t *thread) transmit(p *port, b []byte, to *datagram.Address) {
	if err := p.transmit(b, to); err != nil {
		t.note(unsent, p, to.AddrPort())
		return
	}
	p.traffic.sent.Add(1)
}

// transmit sends a datagram. An error that an earlier one met with, whichever ICMP
// can name, is told in its place once: then it is sent again.
func (p *port) transmit(b []byte, to *datagram.Address) error {
	if p.broken.Load() {
		return unix.EBADF
	}
	err := datagram.Send(p.fd, b, to)
	if err == nil || errors.Is(err, unix.EAGAIN) {
		return err
	}
	p.errors.Store(true)
	return datagram.Send(p.fd, b, to)
}

// ask sends the last heartbeat once more to those who are suspicious: a host whose
// announcer is dead refuses it.
func (t *thread) ask() {
	for _, wish := range t.detect.probes {
		for _, s := range t.now.links {
			if s.index != wish.link || len(s.datagram) == 0 || t.muted {
				continue
			}
			for _, l := range s.lines {
				if l.is4 == wish.target.Is4() {
					to := datagram.NewAddress(netip.AddrPortFrom(wish.target, t.options.Port), s.index)
					t.transmit(l.port, s.datagram, &to)
				}
			}
		}
	}
	if len(t.detect.probes) > 0 {
		t.rouse(t.clock()) // for the answers
	}
	t.detect.probes = t.detect.probes[:0]
}
