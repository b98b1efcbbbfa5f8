package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

// ErrAbsent says that the machine has no stress-ng.
var ErrAbsent = errors.New("stress-ng is not installed (apt-get install stress-ng)")

// load keeps all processors busy for a while, and stops each node's announcer
// now and then.
func load(ctx context.Context, s *site.Site, span time.Duration) (map[string]Pauses, error) {
	if _, err := exec.LookPath("stress-ng"); err != nil {
		return nil, ErrAbsent
	}
	processes, err := s.Roles.Processes(ctx)
	if err != nil {
		return nil, err
	}
	s.Logf("a loaded machine for %s", span)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	over := make(chan struct{})
	group.Go(func() error {
		defer close(over)
		seconds := strconv.Itoa(int(span.Seconds()))
		_, err := s.Run(ctx, s.Remote, "stress-ng", "--cpu", "0", "--timeout", seconds, "--quiet", "--temp-path", os.TempDir())
		return err
	})
	var mu sync.Mutex
	all := map[string]Pauses{}
	for _, process := range processes {
		if process.Role != ground.Announcer {
			continue
		}
		group.Go(func() error {
			pauses, err := pauseRemotely(ctx, s, process, over)
			mu.Lock()
			defer mu.Unlock()
			all[process.Host] = pauses
			return err
		})
	}
	return all, group.Wait()
}

func pauseRemotely(ctx context.Context, s *site.Site, process ground.Process, over <-chan struct{}) (Pauses, error) {
	var pauses Pauses
	cmd := s.Self(ctx, process.Host, "pauser", strconv.Itoa(process.PID))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return pauses, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return pauses, err
	}
	if err := cmd.Start(); err != nil {
		return pauses, err
	}
	<-over
	if err := errors.Join(in.Close(), json.NewDecoder(out).Decode(&pauses), cmd.Wait()); err != nil {
		return pauses, fmt.Errorf("announcer of %s: %w", process.Host, err)
	}
	return pauses, nil
}
