package datagram

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Address is an address as the kernel takes and gives it: a sockaddr_in or a
// sockaddr_in6.
type Address struct {
	raw    [unix.SizeofSockaddrInet6]byte
	length uint32
}

// NewAddress is addr on the interface of that index, which is of account where addr is
// link-local.
func NewAddress(addr netip.AddrPort, link int) (s Address) {
	binary.BigEndian.PutUint16(s.raw[2:], addr.Port())
	if addr.Addr().Is4() {
		binary.NativeEndian.PutUint16(s.raw[:], unix.AF_INET)
		b := addr.Addr().As4()
		copy(s.raw[4:], b[:])
		s.length = unix.SizeofSockaddrInet4
		return s
	}
	binary.NativeEndian.PutUint16(s.raw[:], unix.AF_INET6)
	b := addr.Addr().As16()
	copy(s.raw[8:], b[:])
	if addr.Addr().IsLinkLocalUnicast() || addr.Addr().IsLinkLocalMulticast() {
		binary.NativeEndian.PutUint32(s.raw[24:], uint32(link))
	}
	s.length = unix.SizeofSockaddrInet6
	return s
}

// AddrPort is what the kernel gave, without the zone.
func (s *Address) AddrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(s.raw[2:])
	switch binary.NativeEndian.Uint16(s.raw[:]) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s.raw[4:8])), port)
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(s.raw[8:24])), port)
	}
	return netip.AddrPort{}
}

// link is the scope of a link-local address, else 0.
func (s *Address) link() int {
	if binary.NativeEndian.Uint16(s.raw[:]) != unix.AF_INET6 {
		return 0
	}
	return int(binary.NativeEndian.Uint32(s.raw[24:]))
}

// Send sends a datagram. It does not block, and Go's scheduler is not told. The error is
// an Errno.
func Send(fd int, b []byte, to *Address) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL,
		uintptr(unsafe.Pointer(&to.raw)), uintptr(to.length))
	if errno != 0 {
		return errno
	}
	return nil
}
