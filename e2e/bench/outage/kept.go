package outage

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// KeptConnections is how many connections Kept has open to a target.
const KeptConnections = 50

// kept asks by TCP on connections that stay: each in turn, and anew where one
// broke.
type kept struct {
	target netip.AddrPort
	record *record
	conns  [KeptConnections]keptConnection
}

type keptConnection struct {
	busy sync.Mutex
	conn net.Conn // nil before the first request, and once it broke
}

func (k *kept) ask(ctx context.Context) error {
	var requests sync.WaitGroup
	defer func() {
		requests.Wait()
		for i := range k.conns {
			if k.conns[i].conn != nil {
				_ = k.conns[i].conn.Close()
			}
		}
	}()
	next := 0
	return tick(ctx, func(at clock.Instant) error {
		next = (next + 1) % KeptConnections
		c := &k.conns[next]
		if !c.busy.TryLock() {
			return nil // it waits for an answer still
		}
		number := k.record.ask(at)
		requests.Go(func() {
			defer c.busy.Unlock()
			if err := k.once(ctx, c); err != nil {
				return
			}
			if at, err := clock.Now(); err == nil {
				k.record.answer(number, at)
			}
		})
		return nil
	})
}

// once asks on a connection. One that does not answer in time has broken.
func (k *kept) once(ctx context.Context, c *keptConnection) error {
	deadline := time.Now().Add(patience)
	if c.conn == nil {
		dialer := net.Dialer{Deadline: deadline}
		conn, err := dialer.DialContext(ctx, "tcp", k.target.String())
		if err != nil {
			return err
		}
		c.conn = conn
	}
	err := exchange(c.conn, deadline)
	if err != nil {
		_ = c.conn.Close()
		c.conn = nil
		if ctx.Err() == nil {
			k.record.lose()
		}
	}
	return err
}

// exchange sends a byte and waits for its return.
func exchange(conn net.Conn, deadline time.Time) error {
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{0}); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	_, err := conn.Read(make([]byte, 1))
	return err
}
