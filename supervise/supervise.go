// Package supervise runs a few programs as one: where a container has to be all of
// Herald. One that ends is the end of all, and whoever started the container starts it
// again.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Program is a program and its arguments.
type Program struct {
	Name string // for errors
	Path string
	Args []string
	Env  []string // beside this process's own
}

// ErrEnded is what Run's error wraps if a program ended of its own accord.
var ErrEnded = errors.New("it ended by itself")

// Run starts all programs and waits for them. When ctx ends, or one of them does, the
// others get SIGTERM, and grace later SIGKILL. Run returns when none is left: nil if ctx
// ended and all of them in time and well, else an error that names who did not.
func Run(ctx context.Context, programs []Program, output io.Writer, grace time.Duration) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range programs {
		group.Go(func() error { return p.run(ctx, output, grace) })
	}
	return group.Wait()
}

func (p Program) run(ctx context.Context, output io.Writer, grace time.Duration) error {
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	asked := ctx.Err() != nil
	switch {
	case asked && (err == nil || cmd.ProcessState != nil && cmd.ProcessState.Success()):
		return nil
	case err == nil:
		err = ErrEnded
	}
	return fmt.Errorf("%s: %w", p.Name, err)
}
