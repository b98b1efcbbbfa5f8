package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
)

// Crash ends a control plane's host as a power cut does: its link first, for who is dead
// has no last word, then all its processes.
func (h Host) Crash(ctx context.Context) error {
	if err := h.LinkDown(ctx); err != nil {
		return err
	}
	pids, err := h.processes(ctx)
	if err != nil || len(pids) == 0 {
		return err
	}
	// One may have ended by itself meanwhile.
	_, err = h.Run(ctx, "sh", "-c", "kill -9 "+strings.Join(pids, " ")+"; true")
	return err
}

// Boot brings back what Crash ended. Nothing that was put on the link meanwhile, or in the
// kernel, outlived it.
func (h Host) Boot(ctx context.Context) error {
	clean := "ip address flush dev eth0; nft list tables | grep herald | while read -r _ table; do nft delete table $table; done"
	if _, err := h.Run(ctx, "sh", "-c", clean); err != nil {
		return err
	}
	if err := h.LinkUp(ctx); err != nil {
		return err
	}
	status, err := h.ended(ctx)
	if err != nil {
		return err
	}
	for _, process := range status.Processes {
		if process.Host == h.Name {
			err = errors.Join(err, h.Start(ctx, process.Component))
		}
	}
	return err
}

// ended waits until all processes of the host have: one that was killed takes a while, the
// longer the more memory it has.
func (h Host) ended(ctx context.Context) (Status, error) {
	const lookAgain = 20 * time.Millisecond
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		status, err := h.cluster.Status(ctx)
		running := slices.ContainsFunc(status.Processes, func(p control.Process) bool { return p.Host == h.Name && p.Exit == "" })
		if err != nil || !running {
			return status, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return status, fmt.Errorf("processes of %s do not end: %w", h.Name, ctx.Err())
		}
	}
}

// processes are the ids of those that run on the host.
func (h Host) processes(ctx context.Context) (pids []string, err error) {
	status, err := h.cluster.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, process := range status.Processes {
		if process.Host == h.Name && process.Exit == "" {
			pids = append(pids, fmt.Sprint(process.PID))
		}
	}
	return pids, nil
}
