// Package process starts the lab's components inside the namespaces of their
// hosts, and keeps their output.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// Spec says what to run where.
type Spec struct {
	Component string // the name it goes by
	Host      string
	Namespace topology.Namespace
	Args      []string
	Log       string // file that takes standard output and standard error
}

// Process is a started component.
type Process struct {
	Spec Spec
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts a component; nobody restarts it.
func Start(spec Spec) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(spec.Log), 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the child holds its own copy
	cmd := exec.Command(spec.Args[0], spec.Args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := spec.Namespace.Do(cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", spec.Component, spec.Host, err)
	}
	p := &Process{Spec: spec, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the process's id inside the lab.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err tells how the process ended; nil while it runs.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return &ExitError{Component: p.Spec.Component, Host: p.Spec.Host, Log: p.Spec.Log, Err: p.err}
	default:
		return nil
	}
}

// Signal sends a signal to the process.
func (p *Process) Signal(signal syscall.Signal) error { return p.cmd.Process.Signal(signal) }

// ExitError says that a component ended.
type ExitError struct {
	Component, Host, Log string
	Err                  error // nil when it ended with exit status 0
}

func (e *ExitError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	return fmt.Sprintf("%s on %s ended: %s", e.Component, e.Host, how)
}

func (e *ExitError) Unwrap() error { return e.Err }
