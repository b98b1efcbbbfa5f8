package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sync"

	"github.com/heraldlb/herald/e2e/bench/site"
)

// watcher is Watch on the client.
type watcher struct {
	cmd *exec.Cmd
	in  io.Closer

	mu      sync.Mutex
	all     []Change
	ended   bool
	changed chan struct{} // closed and renewed at each change
}

// startWatch returns once no claim is missed.
func startWatch(ctx context.Context, s *site.Site) (*watcher, error) {
	w := &watcher{cmd: s.Self(ctx, s.Client, "watcher", s.Interface), changed: make(chan struct{})}
	w.cmd.Stderr = os.Stderr
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	w.in = in
	decoder := json.NewDecoder(out)
	var listening Change
	if err := decoder.Decode(&listening); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	go w.read(decoder)
	return w, nil
}

func (w *watcher) read(decoder *json.Decoder) {
	for {
		var next Change
		err := decoder.Decode(&next)
		w.mu.Lock()
		if err == nil {
			w.all = append(w.all, next)
		}
		w.ended = err != nil
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (w *watcher) stop() error { return errors.Join(w.in.Close(), w.cmd.Wait()) }

// changes returns those of some addresses so far.
func (w *watcher) changes(of []netip.Addr) []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []Change
	for _, change := range w.all {
		if slices.Contains(of, change.Address) {
			found = append(found, change)
		}
	}
	return found
}

// await waits until all of the addresses were claimed.
func (w *watcher) await(ctx context.Context, of []netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		w.mu.Lock()
		changed, ended := w.changed, w.ended
		w.mu.Unlock()
		claimed := map[netip.Addr]bool{}
		for _, change := range w.changes(of) {
			claimed[change.Address] = true
		}
		switch {
		case len(claimed) == len(of):
			return nil
		case ended:
			return io.ErrUnexpectedEOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d addresses are claimed: %w", len(claimed), len(of), ctx.Err())
		}
	}
}
