package l2

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many frames one system call carries at most.
const batchSize = 64

// batch is a set of frames that one system call receives or sends. All of it
// is allocated once.
type batch struct {
	size    int // of the buffer of one frame
	buffers []byte
	vectors []unix.Iovec
	headers []mmsghdr
}

// mmsghdr is struct mmsghdr of recvmmsg(2) and sendmmsg(2).
type mmsghdr struct {
	unix.Msghdr
	length uint32
}

// newBatch returns a batch with room for size bytes a frame.
func newBatch(size int) *batch {
	b := &batch{
		size:    size,
		buffers: make([]byte, batchSize*size),
		vectors: make([]unix.Iovec, batchSize),
		headers: make([]mmsghdr, batchSize),
	}
	for i := range b.headers {
		b.vectors[i].Base = &b.buffers[i*size]
		b.vectors[i].SetLen(size)
		b.headers[i].Iov = &b.vectors[i]
		b.headers[i].SetIovlen(1)
	}
	return b
}

// buffer returns the room for frame i.
func (b *batch) buffer(i int) []byte { return b.buffers[i*b.size : (i+1)*b.size] }

// received returns frame i, as much of it as there was room for.
func (b *batch) received(i int) []byte { return b.buffer(i)[:b.headers[i].length] }

// setLength says how much of the buffer of frame i is to be sent.
func (b *batch) setLength(i, n int) { b.vectors[i].SetLen(n) }

// receive takes the frames that are there, as many as fit, without waiting.
func (b *batch) receive(fd uintptr) (int, unix.Errno) {
	return b.call(unix.SYS_RECVMMSG, fd, 0, len(b.headers))
}

// send sends frames from up to to, as many as the socket has room for, without
// waiting.
func (b *batch) send(fd uintptr, from, to int) (int, unix.Errno) {
	return b.call(unix.SYS_SENDMMSG, fd, from, to)
}

// call makes a system call until no signal interrupts it: who waited for the
// socket instead might wait for ever, for it is ready and tells no more.
func (b *batch) call(number, fd uintptr, from, to int) (int, unix.Errno) {
	for {
		n, _, errno := unix.Syscall6(number, fd,
			uintptr(unsafe.Pointer(&b.headers[from])), uintptr(to-from), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
