package realtime

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NewEvent opens an eventfd: a wake-up that takes no lock.
func NewEvent() (int, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open an eventfd: %w", err)
	}
	return fd, nil
}

// Signal wakes who waits for an eventfd. It cannot fail but when it is full,
// which wakes too.
func Signal(fd int) {
	one := uint64(1)
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
}

// Drain takes in all signals.
func Drain(fd int) {
	var count uint64
	_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&count)), unsafe.Sizeof(count))
}
