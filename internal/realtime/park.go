package realtime

import (
	"unsafe" // for go:linkname too

	"golang.org/x/sys/unix"
)

// These are what Go's own blocking waits say to its scheduler. An ordinary system
// call leaves a P with the thread, for sysmon to take away: it wakes some 20 times
// for that at each wait, and marks the thread as one that ran for too long, which
// then has to wait for an ordinary thread. With a node favoured, beside eight busy
// loops, the longest gap of a 25 ms heartbeat was 28 ms this way and 35 to 57 ms by
// the other, at less of the processor. The runtime keeps both names for packages
// like this one (go.dev/issue/67401).

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// Park waits until a descriptor is ready or the timeout is over, without a P.
//
// It is woken at a priority above that of the process' other threads, and goes on at
// theirs. Go's runtime spins, yielding, where a thread comes back while its stack is
// scanned for garbage: above the others it would yield to none of them, and once all
// processors have such a thread on them, that of another process among them, nobody is
// left to finish the scan. A thread whose priority falls is the next of its new one
// (sched(7)), so that it does not wait for any other.
//
// Between the runtime's two calls stands what needs no P: neither the race detector's nor
// coverage's calls, so there is no condition. A thread without a priority has none changed.
//
//go:nosplit
//go:norace
func (t *Timing) Park(polls []unix.PollFd, timeout *unix.Timespec) unix.Errno {
	first, count := unsafe.Pointer(unsafe.SliceData(polls)), uintptr(len(polls))
	wakeful, usual := unsafe.Pointer(&t.wakeful), unsafe.Pointer(&t.usual)
	entersyscallblock()
	_, _, _ = unix.RawSyscall(unix.SYS_SCHED_SETPARAM, 0, uintptr(wakeful), 0)
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(first), count, uintptr(unsafe.Pointer(timeout)), 0, 0, 0)
	_, _, _ = unix.RawSyscall(unix.SYS_SCHED_SETPARAM, 0, uintptr(usual), 0)
	exitsyscall()
	return errno
}
