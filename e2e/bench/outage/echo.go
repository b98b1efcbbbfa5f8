package outage

import (
	"context"
	"errors"
	"io"
	"net"

	"golang.org/x/sync/errgroup"
)

// Echo sends back what comes, by UDP and TCP, until ctx ends. It calls ready
// once it does.
func Echo(ctx context.Context, ready func() error) error {
	packets, err := net.ListenUDP("udp", &net.UDPAddr{Port: Port})
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{Port: Port})
	if err != nil {
		return errors.Join(err, packets.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() { _, _ = packets.Close(), listener.Close() })
	defer stop()
	group.Go(func() error { return echoPackets(packets) })
	group.Go(func() error { return echoStreams(ctx, listener) })
	group.Go(ready)
	return ignoreCancelled(group.Wait())
}

func echoPackets(conn *net.UDPConn) error {
	buffer := make([]byte, 64)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return context.Canceled
		}
		if err == nil {
			_, _ = conn.WriteToUDPAddrPort(buffer[:n], from) // lost is lost
		}
	}
}

func echoStreams(ctx context.Context, listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return context.Canceled
		}
		if err != nil {
			return err
		}
		go func() {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}()
	}
}
