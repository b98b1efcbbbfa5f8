package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Kubectl returns a kubectl command against the cluster, run on this machine,
// in the caller's working directory. Its kubeconfig is in memory, the first of
// the command's extra files.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (*exec.Cmd, error) {
	kubeconfig, err := c.Kubeconfig(ctx)
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
	cmd := exec.CommandContext(ctx, filepath.Join(c.root, "bin", "kube"), append([]string{"kubectl"}, args...)...)
	cmd.ExtraFiles = []*os.File{file}
	cmd.Env = append(os.Environ(),
		"KUBECONFIG=/proc/self/fd/3",
		"KUBECACHEDIR=/dev/null") // a lab leaves no files
	return cmd, nil
}
