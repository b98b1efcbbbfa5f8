package nodesocket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// socketMode admits the owner and the group; see "Who may connect".
const socketMode = 0o660

// listen makes the socket at path. The stale file of a crash is removed; a
// path that a living process listens on, or that is no socket, is left alone.
func listen(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make directory of socket: %w", err)
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("set mode of socket: %w", err), listener.Close())
	}
	return listener, nil
}

// Free returns an error if a living process listens on the socket at path, or if none
// could: for who is to find that out before it does anything else.
func Free(ctx context.Context, path string) error { return removeStale(ctx, path) }

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s exists and is not a socket", path)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("%s: %w by another announcer", path, syscall.EADDRINUSE)
	}
	// Only the kernel's word that nobody listens makes the file stale.
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("ask for a listener on %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	return nil
}
