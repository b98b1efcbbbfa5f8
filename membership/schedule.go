package membership

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

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

// Favour has all threads of the process run before ordinary ones, at nice -20, as
// main does before it starts others. The timing thread waits for one of them when
// Go's scheduler wants it to, and a fail-over is carried out by them. It needs
// CAP_SYS_NICE.
func Favour() error {
	const tasks = "/proc/self/task"
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			return fmt.Errorf("%s in %s: %w", e.Name(), tasks, err)
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, -20); err != nil {
			return fmt.Errorf("nice -20: %w", err)
		}
	}
	return nil
}
