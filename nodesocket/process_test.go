package nodesocket

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// roleVariable makes the test binary one of the two processes of a node.
const roleVariable = "NODESOCKET_TEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	switch role(os.Getenv(roleVariable)) {
	case roleAgent:
		client := NewClient(os.Args[1], newWatcher(), quietLog())
		client.timing = quick
		for _, a := range candidacies(3) {
			err = errors.Join(err, client.Put(a))
		}
		client.Synced()
		err = errors.Join(err, client.Run(ctx))
	case roleAnnouncer:
		server := NewServer(os.Args[1], quietLog())
		server.timing = quick
		err = server.Run(ctx, Backend{Sink: discard{}})
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process starts this binary in a role; it is killed at the end of the test.
func process(t *testing.T, r role, path string) (signal func(syscall.Signal), wait func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), roleVariable+"="+string(r))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waited := false
	wait = func() {
		if !waited {
			waited = true
			_ = cmd.Wait()
		}
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		wait()
	})
	return func(s syscall.Signal) {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}, wait
}

// awaitTurnOver waits until the server has given up the agent it has now.
func awaitTurnOver(t *testing.T, s *Server) {
	t.Helper()
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	select {
	case <-current.done:
	case <-time.After(patience):
		t.Fatal("the server did not notice that its agent is gone")
	}
}

func TestAgentKilledHungAndBack(t *testing.T) {
	path, wire, all := socketPath(t), newRecorder(), candidacies(3)
	server, _ := startServer(t, path, Backend{Sink: wire})
	untouched := func(snapshots int) {
		t.Helper()
		wire.awaitAnnounced(t, all...)
		wire.await(t, "snapshots", func(w wireLog) bool { return w.replaces == snapshots })
		wire.await(t, "no difference", func(w wireLog) bool { return w.puts == 0 && w.deletes == 0 })
	}

	send, wait := process(t, roleAgent, path)
	untouched(1)
	send(syscall.SIGKILL)
	wait()
	awaitTurnOver(t, server)
	untouched(1)

	send, _ = process(t, roleAgent, path)
	untouched(2)
	send(syscall.SIGSTOP)
	awaitTurnOver(t, server)
	untouched(2)
	send(syscall.SIGCONT)
	untouched(3)
}

func TestAnnouncerKilledHungAndBack(t *testing.T) {
	path := socketPath(t)
	send, wait := process(t, roleAnnouncer, path)
	client, _ := startClient(t, path, newWatcher())
	client.Synced()
	poll(t, "a connection", client.Connected)

	send(syscall.SIGSTOP)
	poll(t, "the hang to show", func() bool { return !client.Connected() })
	put(t, client, candidacies(10_000)...) // blocks on nobody
	send(syscall.SIGCONT)
	poll(t, "a new connection", client.Connected)

	send(syscall.SIGKILL)
	wait()
	poll(t, "the end to show", func() bool { return !client.Connected() })
	wire := newRecorder() // takes over the socket that the crash left
	startServer(t, path, Backend{Sink: wire})
	wire.awaitAnnounced(t, candidacies(10_000)...)
}
