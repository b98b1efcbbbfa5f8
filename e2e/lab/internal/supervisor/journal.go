package supervisor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
)

// patience is how long a step is silent before it says that it still waits.
const patience = 3 * time.Second

// journal is what a starting lab did so far; any number of readers follow it
// from the first line on.
type journal struct {
	start time.Time

	mu      sync.Mutex
	lines   []control.Progress
	closed  bool
	changed chan struct{} // closed and renewed at each change
}

func newJournal() *journal {
	return &journal{start: time.Now(), changed: make(chan struct{})}
}

func (j *journal) add(failed bool, format string, args ...any) {
	line := control.Progress{Elapsed: time.Since(j.start), Text: fmt.Sprintf(format, args...), Failed: failed}
	j.update(func() { j.lines = append(j.lines, line) })
}

// close marks the end: readers return once they have read everything.
func (j *journal) close() { j.update(func() { j.closed = true }) }

// ended tells whether the journal is closed.
func (j *journal) ended() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
}

func (j *journal) update(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
	close(j.changed)
	j.changed = make(chan struct{})
}

// follow calls show with every line until the journal is closed.
func (j *journal) follow(ctx context.Context, show func(control.Progress) error) error {
	for read := 0; ; {
		j.mu.Lock()
		lines, closed, changed := j.lines[read:], j.closed, j.changed
		j.mu.Unlock()
		for _, line := range lines {
			if err := show(line); err != nil {
				return err
			}
		}
		read += len(lines)
		if closed {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// step runs f, and says what it waits for, and how long already, while f takes
// its time. f may tell details as it learns them.
func (j *journal) step(ctx context.Context, name string, f func(ctx context.Context, detail func(string)) error) error {
	begin := time.Now()
	var mu sync.Mutex
	var detail string
	done := make(chan error, 1)
	go func() {
		done <- f(ctx, func(text string) {
			mu.Lock()
			defer mu.Unlock()
			detail = text
		})
	}()
	ticker := time.NewTicker(patience)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			j.add(false, "%s (%.1f s)", name, time.Since(begin).Seconds())
			return nil
		case <-ticker.C:
			mu.Lock()
			j.add(false, "waiting for %s since %.0f s: %s", name, time.Since(begin).Seconds(), detail)
			mu.Unlock()
		}
	}
}
