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

func (s labSegment) Drop(ctx context.Context, rules ...string) error {
	return s.cluster.Drop(ctx, rules...)
}

type labPower struct{ cluster *lab.Cluster }

// Off pulls the node's cable, and kills what it runs. The link goes first: a node
// that is dead has no last word.
func (p labPower) Off(ctx context.Context, node string) error {
	host := p.cluster.Host(node)
	if err := host.LinkDown(ctx); err != nil {
		return err
	}
	for _, component := range labParts() {
		if err := host.Signal(ctx, component, syscall.SIGKILL); err != nil {
			return err
		}
	}
	return nil
}

func (p labPower) On(ctx context.Context, node string) error {
	host := p.cluster.Host(node)
	if err := host.LinkUp(ctx); err != nil {
		return err
	}
	for _, component := range labParts() {
		if err := host.Start(ctx, component); err != nil {
			return err
		}
	}
	return nil
}

// labParts are a node's processes, which nobody starts again when they end. What a
// kubelet runs ends with it.
func labParts() []string { return []string{"kubelet", Proxy} }

type labComponents struct{ cluster *lab.Cluster }

func (c labComponents) Signal(ctx context.Context, component Component, signal syscall.Signal) error {
	return c.cluster.Host(component.Host).Signal(ctx, component.Name, signal)
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
