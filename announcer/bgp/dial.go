package bgp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dial connects to the router. None of the socket's options asks for a right.
func dial(ctx context.Context, peer Peer, router netip.Addr) (*net.TCPConn, error) {
	dialer := net.Dialer{
		// Attempts do not overlap, and a lost SYN has been sent again by then.
		Timeout: max(connectTime(peer), 5*time.Second),
		// Keepalives are BGP's.
		KeepAlive: -1,
		Control: func(_, _ string, c syscall.RawConn) error {
			var err error
			return errors.Join(c.Control(func(fd uintptr) { err = options(int(fd), peer, router) }), err)
		},
	}
	if peer.SourceAddress.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(peer.SourceAddress, 0))
	}
	conn, err := dialer.DialContext(ctx, "tcp", netip.AddrPortFrom(router, peer.Port).String())
	if err != nil {
		return nil, &unconnected{err: err, password: peer.Password != ""}
	}
	return conn.(*net.TCPConn), nil //nolint:forcetypeassert // what "tcp" gives
}

// options sets what has to be set before the connection begins.
func options(fd int, peer Peer, router netip.Addr) error {
	level, option := unix.IPPROTO_IP, unix.IP_TTL
	if router.Is6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	}
	switch {
	case peer.ASN == peer.LocalASN: // not bound to one hop
	case peer.Multihop != 0:
		if err := unix.SetsockoptInt(fd, level, option, int(peer.Multihop)); err != nil {
			return err
		}
	default:
		if err := unix.SetsockoptInt(fd, level, option, 1); err != nil {
			return err
		}
	}
	if peer.Password == "" {
		return nil
	}
	// RFC 2385. The kernel lets nobody connect without.
	signature := &unix.TCPMD5Sig{Keylen: uint16(len(peer.Password))} //nolint:gosec // at most 80, or the kernel says no
	if router.Is4() {
		signature.Addr.Family = unix.AF_INET
		copy(signature.Addr.Data[2:], router.AsSlice())
	} else {
		signature.Addr.Family = unix.AF_INET6
		copy(signature.Addr.Data[6:], router.AsSlice())
	}
	copy(signature.Key[:], peer.Password)
	return unix.SetsockoptTCPMD5Sig(fd, unix.IPPROTO_TCP, unix.TCP_MD5SIG, signature)
}
