package nodesocket

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestSocketAdmitsOwnerAndGroupOfDirectory(t *testing.T) {
	dir := t.TempDir()
	// What the kubelet does for fsGroup. Where the test may not give the
	// directory another group, its own has to do.
	_ = os.Chown(dir, -1, 65532)
	if err := os.Chmod(dir, os.ModeSetgid|0o770); err != nil {
		t.Fatal(err)
	}
	listener, err := listen(t.Context(), filepath.Join(dir, "a.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	mode, group := stat(t, filepath.Join(dir, "a.sock"))
	_, want := stat(t, dir)
	if mode.Perm() != 0o660 || group != want {
		t.Errorf("socket has mode %v and group %d, want 0660 and the directory's %d", mode, group, want)
	}
}

func stat(t *testing.T, path string) (mode os.FileMode, group uint32) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode(), info.Sys().(*syscall.Stat_t).Gid
}

func TestMissingDirectoryIsMadePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "herald")
	listener, err := listen(t.Context(), filepath.Join(dir, "a.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if mode, _ := stat(t, dir); mode.Perm() != 0o700 {
		t.Errorf("directory has mode %v, want 0700", mode)
	}
}

func TestStaleSocketIsRemoved(t *testing.T) {
	path := socketPath(t)
	crashed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	crashed.SetUnlinkOnClose(false)
	if err := crashed.Close(); err != nil {
		t.Fatal(err)
	}
	startServer(t, path, Backend{Sink: discard{}})
}

func TestListenLeavesOthersAlone(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, Backend{Sink: discard{}})
	if _, err := listen(t.Context(), path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second announcer: %v, want EADDRINUSE", err)
	}
	if err := Probe(t.Context(), path); err != nil {
		t.Errorf("the first announcer after it: %v", err)
	}

	file := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t.Context(), file); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file: %v, want it refused", err)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "data" {
		t.Errorf("the file now holds %q, %v", data, err)
	}
}

func TestListenNamesTheBadPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 108))
	if _, err := listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the path", err)
	}
}

// tired is a listener that fails to accept as often as it is told, then is closed.
type tired struct {
	net.Listener
	failures []error
}

func (l *tired) Accept() (net.Conn, error) {
	if len(l.failures) == 0 {
		return nil, net.ErrClosed
	}
	err := l.failures[0]
	l.failures = l.failures[1:]
	return nil, err
}

// Too many open files end no announcer; a listener that is gone does.
func TestAcceptGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := NewServer("", quietLog()), time.Now()
		l := &tired{failures: []error{syscall.EMFILE, syscall.ECONNABORTED}}
		if err := s.accept(t.Context(), l, Backend{}); !errors.Is(err, net.ErrClosed) || len(l.failures) > 0 {
			t.Errorf("ended with %v, and %v to come", err, l.failures)
		}
		if took := time.Since(start); took != 2*s.timing.accept {
			t.Errorf("it took %v, want a wait after each failure", took)
		}
	})
}

// A wait after a failure to accept ends with the announcer.
func TestAcceptEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, start := NewServer("", quietLog()), time.Now()
		time.AfterFunc(s.timing.accept/2, cancel)
		if err := s.accept(ctx, &tired{failures: []error{syscall.EMFILE}}, Backend{}); err != nil {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(start); took != s.timing.accept/2 {
			t.Errorf("it took %v to end", took)
		}
	})
}
