// Package daemon runs programs of others on the lab's hosts, and reads what they log:
// that is how they say that they are at work.
package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
)

// Hosts are the machines that daemons run on.
type Hosts interface {
	// Command returns a command that will run on a host.
	Command(ctx context.Context, host string, args ...string) *exec.Cmd
}

// Daemon is a process on a host whose log is read.
type Daemon struct {
	// PID is the process's id on the host.
	PID int

	cmd   *exec.Cmd
	args  []string
	hosts Hosts
	host  string

	mu      sync.Mutex
	lines   []string
	ended   bool
	changed chan struct{} // closed and renewed at each line
}

// Start starts a program on a host, which ends with ctx at the latest.
func Start(ctx context.Context, hosts Hosts, host string, args ...string) (*Daemon, error) {
	// The process's id on the host is known there alone.
	cmd := hosts.Command(ctx, host, append([]string{"sh", "-c", `echo $$; exec "$@"`, "sh"}, args...)...)
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &Daemon{cmd: cmd, args: args, hosts: hosts, host: host, changed: make(chan struct{})}
	reader := bufio.NewReader(output)
	if _, err := fmt.Fscanln(reader, &d.PID); err != nil {
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

func (d *Daemon) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *Daemon) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
	close(d.changed)
	d.changed = make(chan struct{})
}

var errEnded = errors.New("it ended")

// Await waits for a line after the first so many with all of these words.
func (d *Daemon) Await(ctx context.Context, after int, words ...string) error {
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
		return fmt.Errorf("no %q in the log of %s: %w: %s", words, d.args, err, d.Tail())
	}
}

func (d *Daemon) find(after int, words []string) (found, ended bool, changed <-chan struct{}) {
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

// Count returns how many lines there are.
func (d *Daemon) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.lines)
}

// Tail returns the newest lines.
func (d *Daemon) Tail() string {
	const shown = 20
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines[max(0, len(d.lines)-shown):], "\n")
}

// Wait waits for the end, however it comes.
func (d *Daemon) Wait() { _ = d.cmd.Wait() }

// Signal sends the process a signal, by its name without SIG.
func (d *Daemon) Signal(ctx context.Context, signal string) error {
	output, err := d.hosts.Command(ctx, d.host, "kill", "-"+signal, fmt.Sprint(d.PID)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("signal %s to %s on %s: %w: %s", signal, d.args, d.host, err, output)
	}
	return nil
}

// Stop tells the process to end, if it has not, and waits until it has. One that does not
// before ctx ends is killed.
func (d *Daemon) Stop(ctx context.Context) error {
	if _, ended, _ := d.find(0, nil); ended {
		d.Wait()
		return nil
	}
	if err := d.Signal(ctx, "TERM"); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		d.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		err := d.Signal(context.WithoutCancel(ctx), "KILL")
		<-ended
		return errors.Join(fmt.Errorf("%s on %s does not end: %w: %s", d.args, d.host, ctx.Err(), d.Tail()), err)
	}
}
