package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/heraldlb/herald/e2e/docker"
)

// ErrEnded says that a process has ended.
var ErrEnded = errors.New("it has ended")

// First returns the id, on this machine, of the first process of a Pod's container; ErrEnded
// if it is no longer there.
func First(container string) (int, error) {
	ids, err := processes(container)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if status(id, "NSpid:", func(fields []string) bool { return fields[len(fields)-1] == "1" }) {
			return id, nil
		}
	}
	return 0, ErrEnded
}

// Signal sends a signal to a program of a node, by its name.
func (c *Cluster) Signal(ctx context.Context, node, program string, signal syscall.Signal) error {
	id, err := docker.Run(ctx, nil, "inspect", "--format", "{{.Id}}", node)
	if err != nil {
		return err
	}
	ids, err := processes(strings.TrimSpace(id))
	if err != nil {
		return err
	}
	for _, pid := range ids {
		if status(pid, "Name:", func(fields []string) bool { return fields[0] == program }) {
			return syscall.Kill(pid, signal)
		}
	}
	return fmt.Errorf("%s on %s: %w", program, node, ErrEnded)
}

// processes returns the ids of those in a container's control group, or in one below.
func processes(container string) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), container) {
			continue // it may just have ended
		}
		id, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// status says whether a line of a process's status is as it should be.
func status(pid int, line string, is func(fields []string) bool) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, line); ok {
			fields := strings.Fields(rest)
			return len(fields) > 0 && is(fields)
		}
	}
	return false
}
