package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// instant is a reading of the machine's monotonic clock, which all processes
// share, whatever network namespace they are in.
type instant time.Duration

func now() (instant, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return instant(t.Nano()), err
}

// since returns the time that passed from another instant to this one.
func (i instant) since(start instant) time.Duration { return time.Duration(i - start) }
