package l2test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Connect makes a connection from a host to a VIP that another has.
func Connect(t testing.TB, to, from *Host, vip netip.Addr) (client, server net.Conn) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var listener net.Listener
	to.Do(t, func() (err error) {
		listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "[::]:0") // as API servers do
		return err
	})
	defer func() { _ = listener.Close() }()
	at := netip.AddrPortFrom(vip, listener.Addr().(*net.TCPAddr).AddrPort().Port())
	from.Do(t, func() (err error) {
		client, err = (&net.Dialer{Timeout: Patience}).DialContext(ctx, "tcp", at.String())
		return err
	})
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{client, server} {
		t.Cleanup(func() { _ = conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
			t.Fatal(err)
		}
	}
	Exchange(t, client, server)
	return client, server
}

// Exchange has something come through both ways.
func Exchange(t testing.TB, a, b net.Conn) {
	t.Helper()
	for range 2 {
		if _, err := a.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		a, b = b, a
	}
}

// Closed checks that a connection was broken off, and that its owner is told.
func Closed(t testing.TB, conn net.Conn) {
	t.Helper()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.ECONNABORTED) {
		t.Errorf("%s: %v, want it reset", conn.LocalAddr(), err)
	}
}
