package nodesocket

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// tries counts what a client logs, one record for each connection in vain.
type tries struct {
	slog.Handler
	count *int
	first *slog.Level
}

func (tries) Enabled(context.Context, slog.Level) bool { return true }

func (h tries) Handle(_ context.Context, r slog.Record) error {
	if *h.count == 0 {
		*h.first = r.Level
	}
	*h.count++
	return nil
}

func TestClientBacksOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nobody.sock")
	synctest.Test(t, func(t *testing.T) {
		var count int
		var first slog.Level
		client := NewClient(path, newWatcher(), slog.New(tries{slog.DiscardHandler, &count, &first}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := client.Run(ctx); err != nil {
			t.Errorf("Run returned %v", err)
		}
		// At most once a half of the longest wait, at least once a whole of it,
		// and some more at the beginning.
		if count < 60 || count > 140 {
			t.Errorf("%d tries in a minute, want 60 to 140", count)
		}
		if first != slog.LevelWarn {
			t.Errorf("the first is logged at %v", first)
		}
	})
}

// That the announcer is away is said after ten seconds, and once.
func TestAwayIsSaidOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nobody.sock")
	synctest.Test(t, func(t *testing.T) {
		seen := newWatcher()
		client := NewClient(path, seen, quietLog())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- client.Run(ctx) }()
		for _, want := range []int{0, 1, 1} {
			<-time.After(9 * time.Second)
			seen.mu.Lock()
			if seen.value.away != want {
				t.Errorf("said %d times, want %d", seen.value.away, want)
			}
			seen.mu.Unlock()
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

// Each absence is said.
func TestAwayAgain(t *testing.T) {
	path, seen := socketPath(t), newWatcher()
	startClient(t, path, seen)
	for n := range 2 {
		seen.await(t, "the absence", func(s seenLog) bool { return s.away == n+1 })
		server, stop := startServer(t, path, Backend{Sink: discard{}})
		addr := candidacies(1)[0].Address
		server.Report(announcer.Status{Address: addr, State: announcer.Announced})
		seen.await(t, "the status", func(s seenLog) bool { return len(s.statuses) == 1 })
		stop()
	}
}

func TestPutRefuses(t *testing.T) {
	client := NewClient("", newWatcher(), quietLog())
	if err := client.Put(announcer.Candidacy{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("no address: error %v, want ErrInvalid", err)
	}
	for _, a := range candidacies(MaxAddresses) {
		if err := client.Put(a); err != nil {
			t.Fatal(err)
		}
	}
	one := candidacies(MaxAddresses + 1)[MaxAddresses]
	if err := client.Put(one); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), one.Address.String()) {
		t.Errorf("one too many: error %v, want ErrFull that names it", err)
	}
}
