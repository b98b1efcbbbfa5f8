package nodesocket

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// quick makes hangs show soon, yet leaves a busy machine some room.
var quick = timing{
	beat:    50 * time.Millisecond,
	silence: time.Second,
	write:   time.Second,
	hello:   time.Second,
	backoff: [2]time.Duration{time.Millisecond, 50 * time.Millisecond},
	away:    100 * time.Millisecond,
}

// run runs f until the test ends, or until stop is called, which waits for it.
func run(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run returned %v", err)
			}
		case <-time.After(patience):
			t.Error("Run did not return")
		}
	}
	t.Cleanup(stop)
	return stop
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func socketPath(t *testing.T) string { return filepath.Join(t.TempDir(), "a.sock") }

// startServer runs a server for r at path and waits until it listens.
func startServer(t *testing.T, path string, backend Backend) (s *Server, stop func()) {
	t.Helper()
	s = NewServer(path, quietLog())
	s.timing = quick
	stop = run(t, func(ctx context.Context) error { return s.Run(ctx, backend) })
	awaitHealth(t, path)
	return s, stop
}

// awaitHealth waits until the server answers probes.
func awaitHealth(t *testing.T, path string) {
	t.Helper()
	poll(t, "the server's answer", func() bool {
		err := Probe(t.Context(), path)
		return err == nil || errors.Is(err, ErrUnhealthy)
	})
}

// poll waits for what gives no event.
func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func startClient(t *testing.T, path string, observer Observer) (c *Client, stop func()) {
	t.Helper()
	c = NewClient(path, observer, quietLog())
	c.timing = quick
	return c, run(t, c.Run)
}

func put(t *testing.T, c *Client, all ...announcer.Candidacy) {
	t.Helper()
	for _, a := range all {
		if err := c.Put(a); err != nil {
			t.Fatal(err)
		}
	}
}

// rawAgent is an agent that says what a test tells it to.
func rawAgent(t *testing.T, path string) *link {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l := newLink(conn, defaultTiming())
	t.Cleanup(l.close)
	return l
}

func say(t *testing.T, l *link, messages ...message) {
	t.Helper()
	for _, m := range messages {
		if err := l.send(&m); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitEnd reads until the other side closes the connection.
func awaitEnd(t *testing.T, l *link) {
	t.Helper()
	for {
		if _, err := l.receive(patience); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection ended with %v, want its peer to close it", err)
			}
			return
		}
	}
}

var agentHello = message{Kind: kindHello, Version: Version, Role: roleAgent}

// rawAnnouncer accepts one agent, and hears what a test asks for.
func rawAnnouncer(t *testing.T, path string) (accept func() *link) {
	t.Helper()
	listener, err := listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return func() *link {
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		l := newLink(conn, defaultTiming())
		t.Cleanup(l.close)
		if _, err := l.welcome(); err != nil {
			t.Fatal(err)
		}
		return l
	}
}
