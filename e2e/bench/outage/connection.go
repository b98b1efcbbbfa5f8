package outage

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// connections asks by TCP, each time on a new connection.
type connections struct {
	target netip.AddrPort
	record *record
}

func (c *connections) ask(ctx context.Context) error {
	var requests sync.WaitGroup
	defer requests.Wait()
	return tick(ctx, func(at clock.Instant) error {
		number := c.record.ask(at)
		requests.Go(func() {
			if c.once(ctx) != nil {
				return
			}
			if at, err := clock.Now(); err == nil {
				c.record.answer(number, at)
			}
		})
		return nil
	})
}

func (c *connections) once(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.DialContext(ctx, "tcp", c.target.String())
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the answer is there, or is not
	// A reset leaves no port behind in TIME_WAIT: there are too few of them.
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return err
		}
	}
	return exchange(conn, deadline)
}
