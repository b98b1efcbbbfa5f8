package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// proxy is the component that ends with its node whoever announces.
const proxy = "kube-proxy"

// Crash ends a node's link, then its kube-proxy and those processes, at once, and
// returns when the link ended.
func (s *Site) Crash(ctx context.Context, node string, processes []int) (clock.Instant, error) {
	also, err := s.Component(ctx, node, proxy)
	if err != nil {
		return 0, err
	}
	args := []string{"crash", s.Interface}
	for _, pid := range append(processes, also) {
		args = append(args, strconv.Itoa(pid))
	}
	output, err := s.Prompt(ctx, node, args...).Output()
	if err != nil {
		return 0, fmt.Errorf("crash of %s: %w", node, err)
	}
	at, err := strconv.ParseInt(strings.TrimSpace(string(output)), 10, 64)
	return clock.Instant(at), err
}

// CrashHere is the part of Crash that runs on the node. The link goes first: a
// node that is dead has no last word.
func CrashHere(link string, pids []int, out io.Writer) error {
	device, err := netlink.LinkByName(link)
	if err != nil {
		return err
	}
	at, err := clock.Now()
	if err != nil {
		return err
	}
	failed := netlink.LinkSetDown(device)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			failed = errors.Join(failed, fmt.Errorf("kill %d: %w", pid, err))
		}
	}
	fmt.Fprintln(out, int64(at))
	return failed
}

// Reconnect brings back what Crash ended but for the processes.
func (s *Site) Reconnect(ctx context.Context, node string) error {
	host := s.Cluster.Host(node)
	if err := host.LinkUp(ctx); err != nil {
		return err
	}
	return host.Start(ctx, proxy)
}

// Component returns the id of a component's process on a host.
func (s *Site) Component(ctx context.Context, host, component string) (int, error) {
	status, err := s.Cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	for _, process := range status.Processes {
		if process.Host == host && process.Component == component && process.Exit == "" {
			return process.PID, nil
		}
	}
	return 0, fmt.Errorf("no %s runs on %s", component, host)
}

// Signal sends a signal to processes of a host.
func (s *Site) Signal(ctx context.Context, host string, signal syscall.Signal, pids ...int) error {
	args := []string{"sh", "-c", fmt.Sprintf("kill -%d \"$@\"", int(signal)), "kill"}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	_, err := s.Run(ctx, host, args...)
	return err
}
