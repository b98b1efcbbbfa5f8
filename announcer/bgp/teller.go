package bgp

import (
	"context"
	"errors"
	"net"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// teller tells a router what it is to know, for as long as there is a session.
type teller struct {
	session *session
	conn    *connection
	out     *ribOut
	hold    time.Duration
}

// run tells until the session is over, and says why it is. Over gives why the router is
// no longer heard.
func (t *teller) run(again *wishes, over <-chan error) error {
	err := t.tell(again, over)
	switch {
	case t.conn.ctx.Err() != nil:
		return t.leave(context.Cause(t.conn.ctx))
	case t.conn.broken:
		// What the router said last is why it takes no more.
		patience := time.NewTimer(farewell)
		defer patience.Stop()
		select {
		case said := <-over:
			return said
		case <-patience.C:
		}
	}
	return err
}

func (t *teller) tell(again *wishes, over <-chan error) error {
	if err := t.update(); err != nil {
		return err
	}
	if t.out.router.graceful {
		if err := t.endOfRIB(); err != nil {
			return err
		}
	}
	var beat <-chan time.Time
	if every := keepaliveTime(t.session.peer, t.hold); every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		beat = ticker.C
	}
	for {
		var err error
		select {
		case <-t.conn.ctx.Done():
			return context.Cause(t.conn.ctx)
		case err = <-over:
			return err
		case <-t.session.wake:
			err = t.update()
		case <-again.there:
			err = t.again(again.take())
		case <-beat:
			err = t.conn.send(sendTime(t.hold), keepalive())
		}
		if err != nil {
			return err
		}
	}
}

// update tells what changed.
func (t *teller) update() error {
	messages, out, err := t.out.update(t.session.desired())
	if err != nil {
		return err
	}
	if err := t.conn.send(sendTime(t.hold), messages...); err != nil {
		return err
	}
	t.session.note(func(n *Session) {
		n.Advertised, n.Withheld, n.Withheld6, n.Why = out.advertised, out.withheld, out.withheld6, out.why
		n.Updates += uint64(len(messages))
	})
	return nil
}

func (t *teller) again(asked []packet.Family) error {
	for _, family := range asked {
		messages, err := t.out.again(family)
		if err != nil {
			return err
		}
		if err := t.repeat(messages); err != nil {
			return err
		}
	}
	return nil
}

func (t *teller) endOfRIB() error {
	messages, err := t.out.endOfRIB()
	if err != nil {
		return err
	}
	return t.repeat(messages)
}

// repeat sends what changes nothing about what the router was told.
func (t *teller) repeat(messages [][]byte) error {
	if err := t.conn.send(sendTime(t.hold), messages...); err != nil {
		return err
	}
	t.session.note(func(n *Session) { n.Updates += uint64(len(messages)) })
	return nil
}

// leave ends the session in order, if cause asks for that: the routes are withdrawn, and
// the router is given time to send its traffic elsewhere while this node still takes it.
func (t *teller) leave(cause error) error {
	var parting *parting
	if !errors.As(cause, &parting) || t.conn.broken {
		return cause
	}
	t.conn.unhooked()
	messages, _, err := t.out.update(nil, NextHops{})
	if err != nil || len(messages) == 0 {
		return cause
	}
	_ = t.conn.SetWriteDeadline(time.Now().Add(farewell))
	buffers := net.Buffers(messages)
	if _, err := buffers.WriteTo(t.conn.Conn); err != nil {
		t.conn.broken = true
		return cause
	}
	t.session.note(func(n *Session) {
		n.Advertised, n.Withheld, n.Withheld6, n.Why = 0, 0, 0, ""
		n.Updates += uint64(len(messages))
	})
	timer := time.NewTimer(t.session.drain)
	defer timer.Stop()
	<-timer.C
	return cause
}
