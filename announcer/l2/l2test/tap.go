package l2test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// Patience is how long a test waits for an event before it fails.
const Patience = 10 * time.Second

// Tap sees the frames of one protocol that arrive at an interface of a host,
// and sends others.
type Tap struct {
	conn   *packet.Conn
	buffer []byte
}

// Tap opens a tap for an ether type on an interface of the host.
func (h *Host) Tap(t testing.TB, name string, etherType int) *Tap {
	t.Helper()
	tap := &Tap{buffer: make([]byte, 2048)}
	attrs := h.Link(t, name).Attrs()
	h.Do(t, func() error {
		var err error
		tap.conn, err = packet.Listen(&net.Interface{Index: attrs.Index}, packet.Raw, etherType, nil)
		if err != nil {
			return err
		}
		return grow(tap.conn)
	})
	t.Cleanup(func() { _ = tap.conn.Close() })
	return tap
}

// grow gives a socket a buffer for some thousand frames: a busy machine keeps the
// reader waiting. Who is not root of the whole machine gets less.
func grow(conn *packet.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		const size = 8 << 20
		if set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size); set != nil {
			set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
	})
	return errors.Join(err, set)
}

// Send sends a frame.
func (tap *Tap) Send(t testing.TB, frame []byte) {
	t.Helper()
	if _, err := tap.conn.WriteTo(frame, &packet.Addr{HardwareAddr: frame[:6]}); err != nil {
		t.Fatal(err)
	}
}

// Wait returns the next frame that is the one looked for. It is valid until
// the next call.
func (tap *Tap) Wait(t testing.TB, what string, is func(frame []byte) bool) []byte {
	t.Helper()
	must(t, tap.conn.SetReadDeadline(time.Now().Add(Patience)))
	for {
		n, _, err := tap.conn.ReadFrom(tap.buffer)
		// Said once of an interface that is or was down; it may come up.
		if errors.Is(err, unix.ENETDOWN) {
			continue
		}
		if err != nil {
			t.Fatalf("waited for %s: %v", what, err)
		}
		if is(tap.buffer[:n]) {
			return tap.buffer[:n]
		}
	}
}
