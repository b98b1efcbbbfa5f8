// Package claim hears on a link who says that it has an address: by an ARP
// packet from it, or by a neighbour advertisement for it.
package claim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Claim is one frame by which a station said so.
type Claim struct {
	Address netip.Addr `json:"address"`
	// MAC is the station's link-layer address.
	MAC string `json:"mac"`
	// Unasked says that the frame answers nobody: it is an ARP request, or an
	// advertisement that was not solicited.
	Unasked bool `json:"unasked,omitempty"`
	// At is when the kernel received the frame.
	At time.Time `json:"at"`
}

// Listener hears the claims on one link.
type Listener struct {
	socket *os.File
	frame  []byte
}

// Listen begins to listen; from now on no claim is missed.
func Listen(link string) (*Listener, error) {
	device, err := net.InterfaceByName(link)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	l := &Listener{socket: os.NewFile(uintptr(fd), "packet socket"), frame: make([]byte, 2048)}
	// ARP and IPv6 by one socket, in the byte order of the network.
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: device.Index}); err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket on %s: %w", link, err), l.Close())
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1); err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket: timestamps: %w", err), l.Close())
	}
	return l, nil
}

// Buffer gives the socket room for so many bytes of frames that are not yet
// read, so that a burst of claims is not lost.
func (l *Listener) Buffer(bytes int) error {
	raw, err := l.socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes)
	})
	return errors.Join(err, failed)
}

// Next waits for a claim. The error wraps os.ErrClosed after Close.
func (l *Listener) Next() (Claim, error) {
	for {
		n, at, err := l.receive()
		if err != nil {
			return Claim{}, err
		}
		if claim, ok := parse(l.frame[:n]); ok {
			claim.At = at
			return claim, nil
		}
	}
}

// receive waits for a frame, and returns its length and when it came.
func (l *Listener) receive() (n int, at time.Time, err error) {
	raw, err := l.socket.SyscallConn()
	if err != nil {
		return 0, at, err
	}
	var control [64]byte
	var length int
	closed := raw.Read(func(fd uintptr) bool {
		n, length, _, _, err = unix.Recvmsg(int(fd), l.frame, control[:], 0)
		return !errors.Is(err, unix.EAGAIN)
	})
	if closed != nil {
		return 0, at, fmt.Errorf("%w: %w", os.ErrClosed, closed)
	}
	if err != nil {
		return 0, at, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:length])
	if err != nil {
		return 0, at, err
	}
	for _, message := range messages {
		if message.Header.Level == unix.SOL_SOCKET && message.Header.Type == unix.SO_TIMESTAMPNS_NEW {
			seconds := binary.NativeEndian.Uint64(message.Data)
			nanoseconds := binary.NativeEndian.Uint64(message.Data[8:])
			at = time.Unix(int64(seconds), int64(nanoseconds))
		}
	}
	return n, at, nil
}

// Close ends a waiting Next too.
func (l *Listener) Close() error { return l.socket.Close() }

// Where the fields stand in an Ethernet frame without VLAN tag (RFC 826, RFC
// 8200 section 3, RFC 4861 section 4.4).
const (
	source        = 6
	etherType     = 12
	arpOperation  = 20
	arpSender     = 28
	arpEnd        = 42
	nextHeader    = 20
	icmpType      = 54
	flags         = 58
	target        = 62
	targetEnd     = 78
	advertisement = 136
	arpRequest    = 1
	solicited     = 0x40
)

// parse returns the claim that a frame is, if it is one. The sender of an ARP
// probe is unspecified: it claims nothing yet.
func parse(frame []byte) (Claim, bool) {
	if len(frame) < arpEnd {
		return Claim{}, false
	}
	var claim Claim
	switch binary.BigEndian.Uint16(frame[etherType:]) {
	case unix.ETH_P_ARP:
		claim.Address = netip.AddrFrom4([4]byte(frame[arpSender:]))
		claim.Unasked = binary.BigEndian.Uint16(frame[arpOperation:]) == arpRequest
	case unix.ETH_P_IPV6:
		if len(frame) < targetEnd || frame[nextHeader] != unix.IPPROTO_ICMPV6 || frame[icmpType] != advertisement {
			return Claim{}, false
		}
		claim.Address = netip.AddrFrom16([16]byte(frame[target:]))
		claim.Unasked = frame[flags]&solicited == 0
	}
	if !claim.Address.IsValid() || claim.Address.IsUnspecified() {
		return Claim{}, false
	}
	claim.MAC = net.HardwareAddr(frame[source:etherType]).String()
	return claim, true
}
