package bgp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// connection is one to a router, from its beginning to its end.
type connection struct {
	net.Conn
	//nolint:containedctx // the connection lives as long; reads and writes end with it
	ctx    context.Context
	peer   Peer
	reader *bufio.Reader
	// state is at least OpenSent.
	state State
	// broken: a write failed; what follows it would not be understood.
	broken bool
	// unhooked waits until the end of ctx no longer touches the deadlines.
	unhooked func()
}

// attend returns the connection, whose reads and writes end with ctx.
func attend(ctx context.Context, conn net.Conn, peer Peer) *connection {
	hooked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(hooked)
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	return &connection{
		Conn: conn, ctx: ctx, peer: peer, state: OpenSent,
		reader: bufio.NewReaderSize(conn, packet.BGP_MAX_MESSAGE_LENGTH),
		unhooked: func() {
			if !stop() {
				<-hooked
			}
		},
	}
}

// local is this node's end.
func (c *connection) local() netip.Addr {
	end, _ := c.LocalAddr().(*net.TCPAddr)
	return end.AddrPort().Addr()
}

// openTime is for how long an OPEN is waited for, and the first KEEPALIVE (RFC 4271
// section 8.2.2 suggests 4 minutes): a router that accepts has nothing to wait for.
const openTime = 30 * time.Second

// sendTime is for how long a router may take nothing of what it is sent (RFC 9687).
func sendTime(hold time.Duration) time.Duration { return max(2*hold, time.Minute) }

// next returns the router's next message, if it comes in time; 0: at any time.
func (c *connection) next(within time.Duration) (message, error) {
	var deadline time.Time
	if within > 0 {
		deadline = time.Now().Add(within)
	}
	_ = c.SetReadDeadline(deadline)
	if c.ctx.Err() != nil {
		return message{}, context.Cause(c.ctx)
	}
	m, err := read(c.reader)
	if err != nil {
		return message{}, err
	}
	if m.kind == packet.BGP_MSG_NOTIFICATION {
		return message{}, &told{m.notification()}
	}
	return m, nil
}

// send sends messages, if the router takes them in time.
func (c *connection) send(within time.Duration, messages ...[]byte) error {
	buffers := net.Buffers(messages)
	_ = c.SetWriteDeadline(time.Now().Add(within))
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if _, err := buffers.WriteTo(c.Conn); err != nil {
		c.broken = true
		return err
	}
	return nil
}

// handshake comes to terms with the router.
func (c *connection) handshake(restarting bool, confirm func()) (router, error) {
	hello, err := open(c.peer, restarting)
	if err != nil {
		return router{}, err
	}
	if err := c.send(openTime, hello); err != nil {
		return router{}, err
	}
	m, err := c.next(openTime)
	if err != nil {
		return router{}, err
	}
	if m.kind != packet.BGP_MSG_OPEN {
		return router{}, unexpected(packet.BGP_ERROR_SUB_RECEIVE_UNEXPECTED_MESSAGE_IN_OPENSENT_STATE, m.kind)
	}
	r, err := meet(c.peer, m)
	if err != nil {
		return router{}, err
	}
	c.state = OpenConfirm
	confirm()
	unsent := c.send(openTime, keepalive())
	// A router that refuses this node's OPEN may have closed already; why is read still.
	m, err = c.next(openTime)
	if err != nil {
		return router{}, err
	}
	if unsent != nil {
		return router{}, unsent
	}
	if m.kind != packet.BGP_MSG_KEEPALIVE {
		return router{}, unexpected(packet.BGP_ERROR_SUB_RECEIVE_UNEXPECTED_MESSAGE_IN_OPENCONFIRM_STATE, m.kind)
	}
	c.state = Established
	return r, nil
}

func unexpected(subcode, kind uint8) error {
	return refuse(packet.BGP_ERROR_FSM_ERROR, subcode, []byte{kind}, fmt.Sprintf("type %d", kind))
}

// listen reads what the router says until the session is over, and says why it is.
// Families that it asks for again go to again. It never waits for this node's own words to
// be taken: a router may not take any before it has said what it says.
func (c *connection) listen(hold time.Duration, again *wishes) error {
	for {
		m, err := c.next(hold)
		switch {
		case err != nil:
			return err
		case m.kind == packet.BGP_MSG_OPEN:
			return unexpected(packet.BGP_ERROR_SUB_RECEIVE_UNEXPECTED_MESSAGE_IN_ESTABLISHED_STATE, m.kind)
		case m.kind == packet.BGP_MSG_ROUTE_REFRESH && m.family() != 0:
			again.add(m.family())
		}
	}
}

// farewell is for how long a NOTIFICATION is tried to be sent.
const farewell = time.Second

// bye ends the connection; a *refused goes with a NOTIFICATION.
func (c *connection) bye(err error) {
	c.unhooked()
	var refusal *refused
	if errors.As(err, &refusal) && refusal.code != 0 && !c.broken {
		m, err := packet.NewBGPNotificationMessage(refusal.code, refusal.subcode, refusal.data).Serialize()
		if err == nil {
			_ = c.SetWriteDeadline(time.Now().Add(farewell))
			_, _ = c.Write(m)
		}
	}
	_ = c.Close()
}

func keepalive() []byte {
	b, _ := packet.NewBGPKeepAliveMessage().Serialize()
	return b
}

// keepaliveTime is between two KEEPALIVEs: what was asked for, unless the router's hold
// time is shorter; then a third of that at most (RFC 4271 section 4.4). 0: none are sent.
func keepaliveTime(peer Peer, hold time.Duration) time.Duration {
	if peer.KeepaliveTime > 0 && hold == peer.HoldTime {
		return peer.KeepaliveTime
	}
	return hold / 3
}
