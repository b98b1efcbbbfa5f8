package main

import (
	"errors"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// stallTime is how long a process stalls.
const stallTime = 50 * time.Millisecond

// stall stops a process for stallTime, and returns how long that was in the end:
// the machine may be busy with others.
func stall(pid string) (time.Duration, error) {
	id, err := strconv.Atoi(pid)
	if err != nil {
		return 0, err
	}
	// Where the rights allow, nobody keeps this thread from going on in time.
	runtime.LockOSThread()
	err = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
	if err != nil && !errors.Is(err, unix.EPERM) {
		return 0, err
	}
	nap := unix.NsecToTimespec(stallTime.Nanoseconds())
	begin := time.Now()
	if err := unix.Kill(id, unix.SIGSTOP); err != nil {
		return 0, err
	}
	rest := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &nap, nil)
	err = unix.Kill(id, unix.SIGCONT)
	return time.Since(begin), errors.Join(rest, err)
}
