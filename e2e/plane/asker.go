package plane

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/lab"
)

// Asker is a client that asks all the time.
type Asker struct {
	cmd     *exec.Cmd
	done    chan struct{}
	changed chan struct{}

	mu sync.Mutex
	// answers are by number.
	answers map[int]Answer
}

// NewAsker has a host ask for a URL, by a command that is as that of package ask.
func NewAsker(ctx context.Context, on lab.Host, command []string, url string, interval time.Duration) (*Asker, error) {
	cmd := on.Prompt(ctx, append(slices.Clone(command), url, interval.String())...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a := &Asker{cmd: cmd, answers: make(map[int]Answer), done: make(chan struct{}), changed: make(chan struct{}, 1)}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	go func() {
		defer close(a.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var answer Answer
			if json.Unmarshal(lines.Bytes(), &answer) == nil {
				a.take(answer)
			}
		}
	}()
	return a, nil
}

func (a *Asker) take(answer Answer) {
	a.mu.Lock()
	a.answers[answer.Number] = answer
	a.mu.Unlock()
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// Since returns what became of the requests that were begun since then, in that order.
func (a *Asker) Since(t time.Time) (since []Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, answer := range a.answers {
		if !answer.At.Before(t) {
			since = append(since, answer)
		}
	}
	slices.SortFunc(since, func(x, y Answer) int { return x.At.Compare(y.At) })
	return since
}

// Window waits until all is answered for so long after t, nothing waits for half of that, and
// all that was begun by then has come to an end; it returns that, and when it was.
func (a *Asker) Window(ctx context.Context, since, t time.Time, long time.Duration) ([]Answer, time.Time, error) {
	var end time.Time
	err := a.await(ctx, func(all []Answer) bool {
		last, newest, begun := t, t, t
		for _, answer := range slices.Backward(all) {
			begun = later(begun, answer.At)
			switch {
			case answer.Pending && begun.Sub(answer.At) > long/2:
				return false
			case answer.Pending:
			case answer.Error != "" || answer.Took > long:
				last = later(last, answer.At.Add(answer.Took))
			default:
				newest = later(newest, answer.At)
			}
		}
		end = newest
		return newest.Sub(last) > long
	}, t)
	if err != nil {
		return nil, end, fmt.Errorf("the answers never became steady: %w", err)
	}
	var window []Answer
	err = a.await(ctx, func(all []Answer) bool {
		window = slices.DeleteFunc(all, func(answer Answer) bool { return answer.At.After(end) })
		return !slices.ContainsFunc(window, func(answer Answer) bool { return answer.Pending })
	}, since)
	return window, end, err
}

// Servers waits until each of those hosts has answered a request that was begun since then.
func (a *Asker) Servers(ctx context.Context, since time.Time, hosts ...lab.Host) error {
	err := a.await(ctx, func(all []Answer) bool {
		for _, host := range hosts {
			if !slices.ContainsFunc(all, func(answer Answer) bool { return answer.Error == "" && answer.Server == host.Name }) {
				return false
			}
		}
		return true
	}, since)
	if err != nil {
		return fmt.Errorf("the API servers of %v did not all answer: %w", names(hosts), err)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// await waits until what became of the requests since then is as wanted.
func (a *Asker) await(ctx context.Context, is func([]Answer) bool, since time.Time) error {
	for !is(a.Since(since)) {
		select {
		case <-a.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Stop ends the asking.
func (a *Asker) Stop() error {
	err := a.cmd.Process.Signal(syscall.SIGTERM)
	<-a.done
	_ = a.cmd.Wait() // it may have been killed with the lab
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
