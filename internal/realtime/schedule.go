package realtime

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// How a timing thread may be scheduled.
const (
	RealTime = "SCHED_FIFO"
	Favoured = "nice -20"
	Ordinary = "ordinary"
)

// priority is low among real-time threads: below those of the kernel's
// interrupts, above all else.
const priority = 10

// Schedule has the calling thread run as soon as it has something to do, as far
// as the rights go, and says how far. Threads that it starts do not inherit it.
func Schedule() string {
	attr := &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority, Flags: unix.SCHED_FLAG_RESET_ON_FORK,
	}
	if unix.SchedSetAttr(0, attr, 0) == nil {
		return RealTime
	}
	if unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20) == nil {
		return Favoured
	}
	return Ordinary
}

// Favour has all threads of the process run before ordinary ones, in real time
// (SCHED_RR, at the lowest priority), or else at nice -20. Main calls it before it
// starts others, which inherit it. A fail-over is carried out by them, and the
// timing threads wait for them when Go's scheduler wants them to: beside a few dozen
// busy processes, at nice -20, that took more than 100 ms some ten times a minute,
// and never in real time. The kernel leaves a twentieth of each second to others
// whatever these do (sched(7)). It needs CAP_SYS_NICE.
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
		if err := favour(id); err != nil {
			return err
		}
	}
	return nil
}

func favour(thread int) error {
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	if unix.SchedSetAttr(thread, attr, 0) == nil {
		return nil
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, thread, -20); err != nil {
		return fmt.Errorf("nice -20: %w", err)
	}
	return nil
}
