package balance

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// route is a way to the API servers: the addresses that a client asks in turn.
type route struct {
	name string
	at   []netip.AddrPort
}

func dial(ctx context.Context, at netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second, KeepAlive: -1}
	return dialer.DialContext(ctx, "tcp", at.String())
}

// dial opens the i-th connection.
func (r route) dial(ctx context.Context, from *host, i int) (conn net.Conn, err error) {
	err = from.do(func() error {
		conn, err = dial(ctx, r.at[i%len(r.at)])
		return err
	})
	return conn, err
}

// bulk returns how many bytes a second come by so many connections, over a span.
func (r route) bulk(ctx context.Context, from *host, connections int, span time.Duration) (float64, error) {
	var received atomic.Int64
	var readers errgroup.Group
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range connections {
		conn, err := r.dial(ctx, from, i)
		if err != nil {
			return 0, err
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.Write([]byte{askBulk}); err != nil {
			return 0, err
		}
		readers.Go(func() error {
			buffer := make([]byte, large)
			for {
				n, err := conn.Read(buffer)
				received.Add(int64(n))
				if ctx.Err() != nil {
					return nil
				}
				if err != nil {
					return err
				}
			}
		})
		defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	}
	if err := wait(ctx, span/4); err != nil { // until windows are open
		return 0, err
	}
	start, before := time.Now(), received.Load()
	if err := wait(ctx, span); err != nil {
		return 0, err
	}
	rate := float64(received.Load()-before) / time.Since(start).Seconds()
	cancel()
	return rate, readers.Wait()
}

// request returns how long it takes to connect, to ask, and to be answered, and by
// which server.
func (r route) request(ctx context.Context, i int) (took time.Duration, id byte, err error) {
	start := time.Now()
	conn, err := dial(ctx, r.at[i%len(r.at)])
	if err != nil {
		return 0, 0, err
	}
	message := make([]byte, small)
	message[0] = askPing
	_, err = conn.Write(message)
	if err == nil {
		_, err = io.ReadFull(conn, message)
	}
	took = time.Since(start)
	return took, message[0], errors.Join(err, conn.Close())
}

func wait(ctx context.Context, span time.Duration) error {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
