package realtime

import (
	"cmp"
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

// Priorities are low among real-time threads: below those of the kernel's interrupts,
// above all else.
const (
	// usual is that of all threads of the announcer, if Favour got it.
	usual = 1
	// wakeful is that of a timing thread that waits, so that it is woken whatever the
	// others do. It is no more than that: see Timing.Park.
	wakeful = 10
)

// Timing is a thread that is to be in time; the zero Timing is an ordinary one.
type Timing struct {
	how string
	// usual and wakeful are where the kernel reads them; 0 is no priority in real time.
	usual, wakeful int32
}

// Schedule has the calling thread run as soon as it has something to do, as far
// as the rights go. Threads that it starts do not inherit it.
func Schedule() Timing {
	// The higher one, to see whether it may be had.
	attr := &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: wakeful, Flags: unix.SCHED_FLAG_RESET_ON_FORK,
	}
	switch {
	case unix.SchedSetAttr(0, attr, 0) == nil:
		attr.Priority = usual
		_ = unix.SchedSetAttr(0, attr, 0) // lower: it needs no right
		return Timing{how: RealTime, usual: usual, wakeful: wakeful}
	case unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20) == nil:
		return Timing{how: Favoured}
	default:
		return Timing{}
	}
}

// String says how far the rights went.
func (t *Timing) String() string { return cmp.Or(t.how, Ordinary) }

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
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: usual}
	if unix.SchedSetAttr(thread, attr, 0) == nil {
		return nil
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, thread, -20); err != nil {
		return fmt.Errorf("nice -20: %w", err)
	}
	return nil
}
