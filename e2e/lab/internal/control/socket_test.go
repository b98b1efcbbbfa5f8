package control

import (
	"errors"
	"net/http"
	"syscall"
	"testing"
)

// TestSocket: one lab per checkout; none is down, not an error of the network.
func TestSocket(t *testing.T) {
	root := t.TempDir()
	client := NewClient(root)
	if _, err := client.Status(t.Context()); !errors.Is(err, ErrDown) {
		t.Errorf("no lab: %v, want %v", err, ErrDown)
	}
	listener, err := Listen(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(root); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second lab: %v, want %v", err, syscall.EADDRINUSE)
	}
	other, err := Listen(t.TempDir())
	if err != nil {
		t.Fatalf("another checkout: %v", err)
	}
	defer other.Close() //nolint:errcheck // only its name matters

	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"phase":"Ready"}`)) })
	mux.HandleFunc("GET /progress", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"text":"one"}` + "\n" + `{"text":"no paint","failed":true}`))
	})
	server := &http.Server{Handler: mux}
	done := make(chan error, 1)
	go func() { done <- server.Serve(Private{listener}) }()

	if status, err := client.Status(t.Context()); err != nil || status.Phase != Ready {
		t.Errorf("status %+v, %v", status, err)
	}
	var lines []string
	err = client.Follow(t.Context(), func(line Progress) { lines = append(lines, line.Text) })
	if !errors.Is(err, ErrFailed) || len(lines) != 1 {
		t.Errorf("progress %q, %v, want %v", lines, err, ErrFailed)
	}
	if _, err := client.Logs(t.Context()); err == nil {
		t.Error("an answer of 404 is no error")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
