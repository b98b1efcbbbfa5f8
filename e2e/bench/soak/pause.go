package soak

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// longest is how long a process is stopped at most.
	longest = 50 * time.Millisecond
	// often is how often one is stopped.
	often = 500 * time.Millisecond
)

// Pauses is what became of processes that were stopped on purpose.
type Pauses struct {
	Count int `json:"count"`
	// Longest is how long the longest stop really took: the machine may be too
	// busy to end it in time.
	Longest time.Duration `json:"longest"`
	// RealTime says that it was not to wait for anybody.
	RealTime bool `json:"realTime"`
}

// Pause stops a process for up to 50 ms, again and again, until in ends. It runs
// on the host of the process.
func Pause(ctx context.Context, pid int, in io.Reader, out io.Writer) error {
	runtime.LockOSThread() // whose scheduling this is
	pauses := Pauses{RealTime: realTime() == nil}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(ended)
	}()
	ticker := time.NewTicker(often)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			took, err := pause(pid, rand.N(longest))
			if err != nil {
				return err
			}
			pauses.Count++
			pauses.Longest = max(pauses.Longest, took)
		case <-ended:
			return json.NewEncoder(out).Encode(pauses)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pause stops a process for so long. It waits in the kernel, not in the Go
// scheduler, whose threads wait their turn.
func pause(pid int, length time.Duration) (time.Duration, error) {
	start := time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return 0, err
	}
	wait := unix.NsecToTimespec(int64(length))
	err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &wait, nil)
	if errors.Is(err, unix.EINTR) {
		err = nil // shorter is as good
	}
	return time.Since(start), errors.Join(err, syscall.Kill(pid, syscall.SIGCONT))
}

func realTime() error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 90}, 0)
}
