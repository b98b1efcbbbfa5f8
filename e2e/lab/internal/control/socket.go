// Package control is how the lab's program and library talk to a running lab:
// HTTP over an abstract Unix socket, which is no file and ends with its lab.
package control

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrDown says that no lab runs for this checkout and user.
var ErrDown = errors.New("the lab is down")

// errStranger says that the other end of the socket is another user's.
var errStranger = errors.New("control socket: the peer is another user")

// Listen takes the name that belongs to a checkout and user. The error is
// syscall.EADDRINUSE where a lab is already up.
func Listen(root string) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: name(root)})
}

// dial connects to the lab of a checkout and user; ErrDown if there is none.
func dial(ctx context.Context, root string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", name(root))
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrDown
	}
	if err != nil {
		return nil, err
	}
	if err := sameUser(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// name: no two checkouts and no two users share one.
func name(root string) string {
	sum := sha256.Sum256([]byte(root))
	return fmt.Sprintf("@herald-lab-%d-%x", os.Getuid(), sum[:6])
}

// Private is a listener that closes the connections of other users: an
// abstract socket has no file mode to keep them out.
type Private struct{ net.Listener }

// Accept waits for the next connection of the lab's own user.
func (l Private) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if sameUser(conn) == nil {
			return conn, nil
		}
		_ = conn.Close() // the stranger's trouble
	}
}

func sameUser(conn net.Conn) error {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return errStranger
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var peerErr error
	err = raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, peerErr); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if int(peer.Uid) != os.Getuid() {
		return errStranger
	}
	return nil
}
