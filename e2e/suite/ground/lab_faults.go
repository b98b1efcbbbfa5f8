package ground

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/e2e/lab"
)

type labSegment struct{ cluster *lab.Cluster }

func (s labSegment) LinkDown(ctx context.Context, node string) error {
	return s.cluster.Host(node).LinkDown(ctx)
}

func (s labSegment) LinkUp(ctx context.Context, node string) error {
	return s.cluster.Host(node).LinkUp(ctx)
}

func (s labSegment) Drop(ctx context.Context, rules ...string) error {
	return s.cluster.Drop(ctx, rules...)
}

type labComponents struct{ cluster *lab.Cluster }

func (c labComponents) Signal(ctx context.Context, component Component, signal syscall.Signal) error {
	return c.cluster.Host(component.Host).Signal(ctx, component.Name, signal)
}

func (c labComponents) Start(ctx context.Context, component Component) error {
	return c.cluster.Host(component.Host).Start(ctx, component.Name)
}

func (labComponents) Server() Component { return Component{Host: "cp1", Name: "kube-apiserver"} }

// labHerald returns the herald of the checkout. The kubeconfig is in memory, the
// first of the command's extra files.
func labHerald(cluster *lab.Cluster) (func(context.Context, ...string) (*exec.Cmd, error), error) {
	root, err := lab.Root()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, args ...string) (*exec.Cmd, error) {
		kubeconfig, err := cluster.Kubeconfig(ctx)
		if err != nil {
			return nil, err
		}
		fd, err := unix.MemfdCreate("kubeconfig", unix.MFD_CLOEXEC)
		if err != nil {
			return nil, fmt.Errorf("kubeconfig in memory: %w", err)
		}
		file := os.NewFile(uintptr(fd), "kubeconfig")
		if _, err := file.Write(kubeconfig); err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, filepath.Join(root, "bin", "herald"), args...)
		cmd.ExtraFiles = []*os.File{file}
		cmd.Env = append(os.Environ(), "KUBECONFIG=/proc/self/fd/3")
		return cmd, nil
	}, nil
}
