package main

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/heraldlb/herald/internal/realtime"
)

// The process is to be small rather than spare the garbage collector, which has
// little to do: frames cost no allocation. $GOGC and $GOMEMLIMIT say otherwise.
const (
	gcPercent = 50
	// memoryLimit is in bytes; beyond it the collector works harder. A hundred
	// thousand addresses live in some 90 MiB: under a limit as low as that, it
	// would never rest.
	memoryLimit = 256 << 20
	// processors leave the timing thread one that nothing else of this process
	// is on: without, Go makes even a thread in real time wait.
	processors = 16
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
	if err := realtime.Favour(); err != nil {
		log.Warn("a busy node keeps fail-overs waiting: CAP_SYS_NICE is missing", "error", err)
	}
}
