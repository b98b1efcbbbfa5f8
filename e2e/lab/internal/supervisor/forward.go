package supervisor

import (
	"context"
	"errors"
	"io"
	"net"

	"golang.org/x/sync/errgroup"
)

// dialer makes a connection to an API server.
type dialer func(context.Context) (net.Conn, error)

// forward passes every connection of the machine's listener on to an API server,
// until ctx ends.
func forward(ctx context.Context, listener net.Listener, dial dialer) error {
	group, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	group.Go(func() error {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			if err != nil {
				return err
			}
			group.Go(func() error {
				forwardOne(ctx, conn, dial)
				return nil
			})
		}
	})
	return group.Wait()
}

// forwardOne: an API server that does not answer is the client's to see, as a
// closed connection.
func forwardOne(ctx context.Context, conn net.Conn, dial dialer) {
	defer conn.Close() //nolint:errcheck // it may be closed already
	server, err := dial(ctx)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // it may be closed already
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		done <- struct{}{}
	}
	go pass(server, conn)
	go pass(conn, server)
	select {
	case <-done:
	case <-ctx.Done():
	}
}
