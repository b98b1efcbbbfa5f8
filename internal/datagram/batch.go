package datagram

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// BatchSize is how many datagrams one system call takes in.
	BatchSize = 32
	// controlSize has room for the hop limit, the time and the count of losses.
	controlSize = 128
)

// Batch receives datagrams, with what the kernel says of each.
type Batch struct {
	longest  int
	headers  [BatchSize]message
	vectors  [BatchSize]unix.Iovec
	sources  [BatchSize]Address
	controls [BatchSize][controlSize]byte
	// One byte more than the longest shows what is longer.
	buffers [BatchSize][]byte
}

// message is a struct mmsghdr.
type message struct {
	header unix.Msghdr
	length uint32
	_      [unsafe.Sizeof(uintptr(0)) - 4]byte
}

// NewBatch returns a Batch for datagrams of at most that many bytes.
func NewBatch(longest int) *Batch {
	b := &Batch{longest: longest}
	for i := range b.headers {
		b.buffers[i] = make([]byte, longest+1)
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

// Receive takes in what a socket has, and returns how many. It does not block; the error
// is an Errno.
func (b *Batch) Receive(fd int, flags int) (int, error) {
	for i := range b.headers {
		h := &b.headers[i].header
		h.Namelen = uint32(len(b.sources[i].raw))
		h.SetControllen(controlSize)
		h.Flags = 0
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.headers)),
		BatchSize, uintptr(unix.MSG_DONTWAIT|flags), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Datagram is one that was received. Its data is valid until the next Receive. What the
// kernel tells depends on the options of the socket.
type Datagram struct {
	Data   []byte
	Source netip.AddrPort
	// Link is the index of the interface it came by, of link-local sources only.
	Link int
	// Hops is the hop limit it came with.
	Hops int
	// Stamp is when it came, in nanoseconds since 1970.
	Stamp int64
	// Losses is the number of datagrams that the socket had no room for.
	Losses uint32
	// Oversized: Data is not all of it.
	Oversized bool
	// Refused: it is not a datagram, but word that nobody listens at Source.
	Refused bool
}

// Datagram returns one of those that were received last.
func (b *Batch) Datagram(i int) Datagram {
	m := &b.headers[i]
	d := Datagram{
		Data:      b.buffers[i][:m.length],
		Source:    b.sources[i].AddrPort(),
		Link:      b.sources[i].link(),
		Oversized: m.header.Flags&unix.MSG_TRUNC != 0 || int(m.length) > b.longest,
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

func (d *Datagram) readControl(b []byte) {
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

func (d *Datagram) setControl(level, kind uint32, value []byte) {
	switch {
	case level == unix.SOL_SOCKET && kind == unix.SO_TIMESTAMPNS_NEW && len(value) >= 16:
		d.Stamp = int64(binary.NativeEndian.Uint64(value))*1e9 + int64(binary.NativeEndian.Uint64(value[8:]))
	case level == unix.SOL_SOCKET && kind == unix.SO_RXQ_OVFL && len(value) >= 4:
		d.Losses = binary.NativeEndian.Uint32(value)
	case level == unix.IPPROTO_IP && kind == unix.IP_TTL && len(value) >= 4,
		level == unix.IPPROTO_IPV6 && kind == unix.IPV6_HOPLIMIT && len(value) >= 4:
		d.Hops = int(binary.NativeEndian.Uint32(value))
	case level == unix.IPPROTO_IP && kind == unix.IP_RECVERR && len(value) >= 4,
		level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR && len(value) >= 4:
		// A struct sock_extended_err begins with the error, and where it is from.
		d.Refused = unix.Errno(binary.NativeEndian.Uint32(value)) == unix.ECONNREFUSED && value[4] != unix.SO_EE_ORIGIN_LOCAL
	}
}
