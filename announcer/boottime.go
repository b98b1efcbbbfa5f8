package announcer

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// BootTime is a moment of CLOCK_BOOTTIME, in nanoseconds since the host booted. All
// processes of a host agree on it, nobody sets it, and it goes on while the host is
// suspended. Zero is no moment.
type BootTime int64

// Now returns the present BootTime.
func Now() (BootTime, error) {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &at); err != nil {
		return 0, fmt.Errorf("read CLOCK_BOOTTIME: %w", err)
	}
	return BootTime(at.Nano()), nil
}

// Add returns the moment that is d later.
func (t BootTime) Add(d time.Duration) BootTime { return t + BootTime(d) }

// Sub returns how much later t is than u.
func (t BootTime) Sub(u BootTime) time.Duration { return time.Duration(t - u) }
