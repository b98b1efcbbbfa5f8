package membership

import "golang.org/x/sys/unix"

// How the timing thread may be scheduled.
const (
	realTime = "SCHED_FIFO"
	favoured = "nice -20"
	ordinary = "ordinary"
)

// priority is low among real-time threads: below those of the kernel's
// interrupts, above all else.
const priority = 10

// schedule has the calling thread run as soon as it has something to do, as far
// as the rights go, and says how far. Threads it starts are ordinary ones.
func schedule() string {
	attr := &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority, Flags: unix.SCHED_FLAG_RESET_ON_FORK,
	}
	if unix.SchedSetAttr(0, attr, 0) == nil {
		return realTime
	}
	if unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20) == nil {
		return favoured
	}
	return ordinary
}
