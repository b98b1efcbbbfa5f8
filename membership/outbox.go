package membership

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

// outbox sends the messages of elections, at a pace that overruns no socket.
type outbox struct {
	sealer   *wire.Sealer
	segments []*segment
	sequence uint64
	queue    []outgoing
	limiter  *rate.Limiter
	paused   bool
	buffer   []byte
}

type outgoing struct {
	to      election.ID
	message election.Message
}

const (
	// burst datagrams are sent at once, then as many after each pause.
	burst      = 32
	burstPause = time.Millisecond
	// maxOutgoing bounds what waits; more are dropped, and asked for again.
	maxOutgoing = 4096
)

// Send sends a message to a peer, or to all for the zero ID. It may get lost, as
// any datagram: elections repeat what matters.
func (m *Membership) Send(to election.ID, message election.Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running {
		return
	}
	if len(m.outbox.queue) == maxOutgoing {
		m.counts.drops[overrun].Add(1)
		return
	}
	m.wakeThread() // to be alert for what comes of it
	m.outbox.queue = append(m.outbox.queue, outgoing{to: to, message: message})
	m.flush()
}

// flush sends what may be sent now, and has the desk call it again for the rest.
func (m *Membership) flush() {
	o := &m.outbox
	sent := 0
	for sent < len(o.queue) && o.limiter.Allow() {
		m.post(&o.queue[sent])
		o.queue[sent] = outgoing{}
		sent++
	}
	if o.queue = o.queue[sent:]; len(o.queue) == 0 {
		o.queue = nil
		return
	}
	if !o.paused {
		o.paused = true
		time.AfterFunc(burstPause, m.wakeDeskLocked)
	}
}

func (m *Membership) post(out *outgoing) {
	o := &m.outbox
	if o.sealer == nil {
		return // there are no interfaces yet
	}
	o.sequence++
	header := wire.Header{Incarnation: m.thread.incarnation.Load(), Sequence: o.sequence, Name: m.thread.name}
	b, err := o.sealer.AppendClaims(o.buffer[:0], &header, &out.message)
	o.buffer = b
	if err != nil {
		m.log.Error("cannot write a message", "kind", out.message.Kind, "error", err)
		return
	}
	if out.to != (election.ID{}) {
		m.postTo(out.to, b)
		return
	}
	for _, s := range o.segments {
		for _, l := range s.lines {
			for i := range l.to {
				m.countUnsent(l.transmit(b, &l.to[i]))
			}
		}
	}
}

// postTo sends a datagram to one peer, each time by another of the routes that it
// is heard on.
func (m *Membership) postTo(id election.ID, b []byte) {
	r, ok := m.roster.route(id, m.outbox.sequence)
	if !ok {
		return
	}
	for _, s := range m.outbox.segments {
		for _, l := range s.lines {
			if l.link == r.link && l.is4 == r.source.Is4() {
				to := datagram.NewAddress(netip.AddrPortFrom(r.source, m.options.Port), r.link)
				m.countUnsent(l.transmit(b, &to))
			}
		}
	}
}

func (m *Membership) countUnsent(err error) {
	if err != nil {
		m.counts.drops[unsent].Add(1)
	}
}
