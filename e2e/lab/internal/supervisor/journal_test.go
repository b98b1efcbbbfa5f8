package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
)

// TestJournalReaders: a reader that comes late sees every line, too.
func TestJournalReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		read := func() <-chan []string {
			result := make(chan []string, 1)
			go func() {
				var lines []string
				err := j.follow(t.Context(), func(line control.Progress) error {
					lines = append(lines, line.Text)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				result <- lines
			}()
			return result
		}
		early := read()
		j.add(false, "one")
		synctest.Wait()
		late := read()
		j.add(false, "two")
		if j.ended() {
			t.Error("the journal ended before it was closed")
		}
		j.close()
		for _, lines := range []<-chan []string{early, late, read()} {
			if got := <-lines; !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("read %q", got)
			}
		}
		if !j.ended() {
			t.Error("the journal did not end")
		}
	})
}

func TestJournalReaderLeaves(t *testing.T) {
	j := newJournal()
	j.add(false, "one")
	ctx, cancel := context.WithCancel(t.Context())
	err := j.follow(ctx, func(control.Progress) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// TestStep: a step that takes its time says what it waits for and how long.
func TestStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		err := j.step(t.Context(), "paint", func(_ context.Context, detail func(string)) error {
			detail("wet")
			<-time.After(2*patience + time.Second)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, line := range j.lines {
			lines = append(lines, line.Text)
		}
		want := []string{"waiting for paint since 3 s: wet", "waiting for paint since 6 s: wet", "paint (7.0 s)"}
		if !slices.Equal(lines, want) {
			t.Errorf("%q, want %q", lines, want)
		}
	})
}

func TestStepFails(t *testing.T) {
	j := newJournal()
	dry := errors.New("no paint")
	err := j.step(t.Context(), "paint", func(context.Context, func(string)) error { return dry })
	if !errors.Is(err, dry) || !strings.HasPrefix(err.Error(), "paint: ") {
		t.Errorf("%v", err)
	}
	if len(j.lines) > 0 {
		t.Errorf("%v", j.lines)
	}
}

func TestFailing(t *testing.T) {
	readyz := "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n[-]rbac failed\nreadyz check failed\n"
	if got := failing(readyz); got != "etcd, rbac" {
		t.Errorf("%q", got)
	}
}
