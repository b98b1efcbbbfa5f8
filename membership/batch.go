package membership

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/membership/wire"
)

const (
	// batchSize is how many datagrams one system call takes in.
	batchSize = 32
	// controlSize has room for the hop limit, the time and the count of losses.
	controlSize = 128
)

// batch receives datagrams, with what the kernel says of each.
type batch struct {
	headers  [batchSize]message
	vectors  [batchSize]unix.Iovec
	sources  [batchSize]sockaddr
	controls [batchSize][controlSize]byte
	// One byte more than is valid shows what is longer.
	buffers [batchSize][wire.MaxDatagram + 1]byte
}

// message is a struct mmsghdr.
type message struct {
	header unix.Msghdr
	length uint32
	_      [unsafe.Sizeof(uintptr(0)) - 4]byte
}

func newBatch() *batch {
	b := new(batch)
	for i := range b.headers {
		b.vectors[i].Base = &b.buffers[i][0]
		b.vectors[i].SetLen(len(b.buffers[i]))
		h := &b.headers[i].header
		h.Iov = &b.vectors[i]
		h.SetIovlen(1)
		h.Name = &b.sources[i].raw[0]
		h.Control = &b.controls[i][0]
	}
	return b
}

// receive takes in what a socket has, and returns how many.
func (b *batch) receive(fd int, flags int) (int, error) {
	for i := range b.headers {
		h := &b.headers[i].header
		h.Namelen = uint32(len(b.sources[i].raw))
		h.SetControllen(controlSize)
		h.Flags = 0
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.headers)),
		batchSize, uintptr(unix.MSG_DONTWAIT|flags), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// datagram is one that was received. Its data is valid until the next receive.
type datagram struct {
	data   []byte
	source netip.AddrPort
	// hops is the hop limit it came with.
	hops int
	// stamp is when it came, in nanoseconds since 1970.
	stamp int64
	// losses is the number of datagrams that the socket had no room for.
	losses uint32
	// oversized: data is not all of it.
	oversized bool
	// refused: it is not a datagram, but word that nobody listens at source.
	refused bool
}

func (b *batch) datagram(i int) datagram {
	m := &b.headers[i]
	d := datagram{
		data:      b.buffers[i][:m.length],
		source:    b.sources[i].addrPort(),
		oversized: m.header.Flags&unix.MSG_TRUNC != 0 || m.length > wire.MaxDatagram,
	}
	d.readControl(b.controls[i][:m.header.Controllen])
	return d
}

// The kernel's cmsghdr: its length with the header, level and type; the next
// begins at a multiple of the size of a word.
const (
	wordSize          = int(unsafe.Sizeof(uintptr(0)))
	controlHeaderSize = wordSize + 8
)

func (d *datagram) readControl(b []byte) {
	for len(b) >= controlHeaderSize {
		length := int(binary.NativeEndian.Uint64(b))
		if wordSize == 4 {
			length = int(binary.NativeEndian.Uint32(b))
		}
		if length < controlHeaderSize || length > len(b) {
			return
		}
		level, kind := binary.NativeEndian.Uint32(b[wordSize:]), binary.NativeEndian.Uint32(b[wordSize+4:])
		d.setControl(level, kind, b[controlHeaderSize:length])
		b = b[min((length+wordSize-1)&^(wordSize-1), len(b)):]
	}
}

func (d *datagram) setControl(level, kind uint32, value []byte) {
	switch {
	case level == unix.SOL_SOCKET && kind == unix.SO_TIMESTAMPNS_NEW && len(value) >= 16:
		d.stamp = int64(binary.NativeEndian.Uint64(value))*1e9 + int64(binary.NativeEndian.Uint64(value[8:]))
	case level == unix.SOL_SOCKET && kind == unix.SO_RXQ_OVFL && len(value) >= 4:
		d.losses = binary.NativeEndian.Uint32(value)
	case level == unix.IPPROTO_IP && kind == unix.IP_TTL && len(value) >= 4,
		level == unix.IPPROTO_IPV6 && kind == unix.IPV6_HOPLIMIT && len(value) >= 4:
		d.hops = int(binary.NativeEndian.Uint32(value))
	case level == unix.IPPROTO_IP && kind == unix.IP_RECVERR && len(value) >= 4,
		level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR && len(value) >= 4:
		// A struct sock_extended_err begins with the error, and where it is from.
		d.refused = unix.Errno(binary.NativeEndian.Uint32(value)) == unix.ECONNREFUSED && value[4] != unix.SO_EE_ORIGIN_LOCAL
	}
}
