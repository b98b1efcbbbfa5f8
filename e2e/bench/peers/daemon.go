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
)

// daemon is a process on a host whose log is read.
type daemon struct {
	cmd *exec.Cmd

	mu      sync.Mutex
	lines   []string
	ended   bool
	changed chan struct{} // closed and renewed at each line
}

// start starts a command.
func start(cmd *exec.Cmd) (*daemon, error) {
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	d := &daemon{cmd: cmd, changed: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			d.note(lines.Text(), false)
		}
		d.note("", true)
	}()
	return d, nil
}

func (d *daemon) note(line string, ended bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines, d.ended = append(d.lines, line), ended
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
