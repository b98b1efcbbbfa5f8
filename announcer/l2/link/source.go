package link

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Source returns the link-local address that the kernel would send from now to all nodes
// on the interface, or the unspecified one if there is none yet: an address that the kernel
// probes for is none.
func (i *Interface) Source() netip.Addr {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.IPv6Unspecified()
	}
	defer func() { _ = unix.Close(fd) }()
	to := &unix.SockaddrInet6{Addr: netip.IPv6LinkLocalAllNodes().As16(), Port: 1, ZoneId: uint32(i.Index)}
	if err := unix.Connect(fd, to); err != nil {
		return netip.IPv6Unspecified()
	}
	name, err := unix.Getsockname(fd)
	if own, ok := name.(*unix.SockaddrInet6); err == nil && ok {
		if addr := netip.AddrFrom16(own.Addr); addr.IsLinkLocalUnicast() {
			return addr
		}
	}
	return netip.IPv6Unspecified()
}
