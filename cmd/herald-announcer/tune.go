package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// The process is to be small rather than spare the garbage collector, which has
// little to do: frames cost no allocation. $GOGC and $GOMEMLIMIT say otherwise.
const (
	gcPercent = 50
	// memoryLimit is in bytes; beyond it the collector works harder. A hundred
	// thousand addresses live in some 90 MiB: under a limit as low as that, it
	// would never rest.
	memoryLimit = 256 << 20
	// processors leaves the timing thread one that nothing else of this process
	// is on, which Go makes even a thread in real time wait for.
	processors = 4
	// highest is the best niceness there is.
	highest = -20
)

// tune makes the process small, and sees to it that others make it wait little.
func tune(log *slog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(processors, runtime.NumCPU()))
	}
	if err := hurry(); err != nil {
		log.Info("at ordinary priority, for CAP_SYS_NICE is missing", "error", err)
	}
}

// hurry gives the process the best niceness. In Linux that is a thread's: those
// to come have it of those that there are.
func hurry() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, highest); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("set niceness: %w", err)
		}
	}
	return nil
}
