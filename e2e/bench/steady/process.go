package steady

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/heraldlb/herald/e2e/bench/site"
)

// Process is a process whose cost counts.
type Process struct {
	Role, Host string
	PID        int
}

// usage is what a process has used so far.
type usage struct {
	processor time.Duration
	resident  int64 // bytes
}

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, 100 on all of
// Linux's architectures that the lab runs on.
const clockTick = 10 * time.Millisecond

// read returns what the process has used (proc(5)).
func (p Process) read(ctx context.Context, s *site.Site) (usage, error) {
	text, err := s.Run(ctx, p.Host, "cat", fmt.Sprintf("/proc/%d/stat", p.PID), fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		return usage{}, err
	}
	stat, status, _ := strings.Cut(string(text), "\n")
	// The program's name, in brackets, may hold anything.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const user, system = 11, 12 // fields 14 and 15, of which 3 is the first here
	if len(fields) <= system {
		return usage{}, fmt.Errorf("process %d: stat %q", p.PID, stat)
	}
	var used usage
	for _, field := range []string{fields[user], fields[system]} {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return usage{}, err
		}
		used.processor += time.Duration(ticks) * clockTick
	}
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				return usage{}, err
			}
			used.resident = kilobytes << 10
		}
	}
	return used, nil
}
