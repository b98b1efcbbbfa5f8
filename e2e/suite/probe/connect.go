package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// connect makes a TCP connection. With it comes what lasts longer than a
// connection that could not be made: its socket, which the caller closes. It
// is nil where there was none.
func connect(ctx context.Context, to string) (net.Conn, *socket, error) {
	var kept *socket
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		return errors.Join(c.Control(func(fd uintptr) {
			var second int
			if second, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
				kept = &socket{fd: second}
			}
		}), err)
	}}
	conn, err := dialer.DialContext(ctx, "tcp", to)
	return conn, kept, err
}

// socket is a second descriptor of a connection's socket: package net closes
// its own when nobody answers, and tells nothing of it.
type socket struct{ fd int }

func (s *socket) close() error { return unix.Close(s.fd) }

// local returns the own end of the connection.
func (s *socket) local() (netip.AddrPort, error) {
	address, err := unix.Getsockname(s.fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	switch address := address.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(address.Addr), uint16(address.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(address.Addr), uint16(address.Port)), nil
	default:
		return netip.AddrPort{}, unix.EAFNOSUPPORT
	}
}

// resent returns how many packets TCP sent again.
func (s *socket) resent() (int, error) {
	info, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, err
	}
	return int(info.Total_retrans), nil
}
