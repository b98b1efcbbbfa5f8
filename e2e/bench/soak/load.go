package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

// ErrAbsent says that the machine has no stress-ng.
var ErrAbsent = errors.New("stress-ng is not installed (apt-get install stress-ng)")

// strain is what was done to the machine, and what it did.
type strain struct {
	// Pauses are by node.
	Pauses map[string]Pauses `json:"pauses"`
	Stalls []Stall           `json:"stalls"`
}

// load keeps all processors busy for a while, and stops each node's announcer
// now and then.
func load(ctx context.Context, s *site.Site, span time.Duration) (strain, error) {
	if _, err := exec.LookPath("stress-ng"); err != nil {
		return strain{}, ErrAbsent
	}
	processes, err := s.Roles.Processes(ctx)
	if err != nil {
		return strain{}, err
	}
	s.Logf("a loaded machine for %s", span)
	group, ctx := errgroup.WithContext(ctx)
	over := make(chan struct{})
	group.Go(func() error {
		defer close(over)
		seconds := strconv.Itoa(int(span.Seconds()))
		_, err := s.Run(ctx, s.Remote, "stress-ng", "--cpu", "0", "--timeout", seconds, "--quiet", "--temp-path", os.TempDir())
		return err
	})
	var result strain
	group.Go(func() error { return until(over, s.Self(ctx, s.Remote, "metronome"), &result.Stalls) })
	all := make([]Pauses, len(processes))
	for i, process := range processes {
		if process.Role == ground.Announcer {
			cmd := s.Self(ctx, process.Host, "pauser", strconv.Itoa(process.PID))
			group.Go(func() error { return until(over, cmd, &all[i]) })
		}
	}
	err = group.Wait()
	result.Pauses = map[string]Pauses{}
	for i, process := range processes {
		if process.Role == ground.Announcer {
			result.Pauses[process.Host] = all[i]
		}
	}
	return result, err
}

// until runs a command until over is closed, and decodes what it then says.
func until(over <-chan struct{}, cmd *exec.Cmd, result any) error {
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	<-over
	if err := errors.Join(in.Close(), json.NewDecoder(out).Decode(result), cmd.Wait()); err != nil {
		return fmt.Errorf("%s: %w", cmd.Args, err)
	}
	return nil
}
