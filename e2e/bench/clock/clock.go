// Package clock reads the machine's monotonic clock, which all processes share,
// whatever network namespace they are in.
package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Instant is a reading of the clock; 0 is never.
type Instant time.Duration

// Now reads the clock.
func Now() (Instant, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return Instant(t.Nano()), err
}

// Since returns the time that passed from another instant to this one.
func (i Instant) Since(start Instant) time.Duration { return time.Duration(i - start) }

// Add returns the instant that is later by d.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }
