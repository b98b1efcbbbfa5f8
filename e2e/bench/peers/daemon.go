// Package peers runs other implementations on the lab, as processes on its
// nodes, for comparison.
package peers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"

	"github.com/heraldlb/herald/e2e/bench/site"
)

// daemon is a process on a host whose log is read.
type daemon struct {
	cmd *exec.Cmd
	pid int // on the host

	mu      sync.Mutex
	lines   []string
	ended   bool
	changed chan struct{} // closed and renewed at each line
}

// start starts a program on a host.
func start(ctx context.Context, s *site.Site, host string, args ...string) (*daemon, error) {
	// The process's id on the host is known there alone.
	cmd := s.Hosts.Command(ctx, host, append([]string{"sh", "-c", `echo $$; exec "$@"`, "sh"}, args...)...)
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &daemon{cmd: cmd, changed: make(chan struct{})}
	reader := bufio.NewReader(output)
	if _, err := fmt.Fscanln(reader, &d.pid); err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", args, host, err)
	}
	go func() {
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			d.note(lines.Text())
		}
		d.end()
	}()
	return d, nil
}

func (d *daemon) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *daemon) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
	close(d.changed)
	d.changed = make(chan struct{})
}

var errEnded = errors.New("it ended")

// await waits for a line after the first so many with all of these words.
func (d *daemon) await(ctx context.Context, after int, words ...string) error {
	for {
		found, ended, changed := d.find(after, words)
		if found {
			return nil
		}
		err := errEnded
		if !ended {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		return fmt.Errorf("no %q in the log of %s: %w: %s", words, d.cmd.Args, err, d.tail())
	}
}

func (d *daemon) find(after int, words []string) (found, ended bool, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, line := range d.lines[after:] {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			return true, d.ended, nil
		}
	}
	return false, d.ended, d.changed
}

// count returns how many lines there are.
func (d *daemon) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.lines)
}

// tail returns the newest lines.
func (d *daemon) tail() string {
	const shown = 20
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines[max(0, len(d.lines)-shown):], "\n")
}

// wait waits for the end, however it comes.
func (d *daemon) wait() { _ = d.cmd.Wait() }
