// Package supervisor brings a lab up and keeps it: the network, the control
// plane, the nodes, and Herald applied to them.
//
// Init is the first process of a new PID namespace, so whatever ends it, the
// kernel ends everything inside; mounts and network namespaces go with it.
package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Inherited file descriptors: both sockets belong to the machine's network
// namespace, where they were opened.
const (
	ControlFD = 3 // control socket
	ServerFD  = 4 // TCP listener that is passed on to the API server
)

// Init prepares the mount namespace, starts the supervisor and reaps what is
// orphaned, until the supervisor ends.
func Init(config Config) error {
	// Before the new /proc, this is the id that the machine knows.
	pid, err := os.Readlink("/proc/self")
	if err != nil {
		return err
	}
	if err := mounts(); err != nil {
		return err
	}
	if _, err := fmt.Sscan(pid, &config.PID); err != nil {
		return fmt.Errorf("process id %q: %w", pid, err)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", "supervise", string(text))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Dir = "/"
	cmd.Env = environment()
	cmd.ExtraFiles = []*os.File{os.NewFile(ControlFD, "control"), os.NewFile(ServerFD, "server")}
	if err := cmd.Start(); err != nil {
		return err
	}
	return reap(cmd.Process.Pid)
}

// mounts hides the machine's /run behind an empty one in memory, where the
// whole state of the lab lives.
func mounts() error {
	steps := []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{target: "/", flags: unix.MS_REC | unix.MS_PRIVATE},
		{source: "tmpfs", target: "/run", kind: "tmpfs", flags: unix.MS_NOSUID | unix.MS_NODEV, data: "mode=755"},
		{source: "proc", target: "/proc", kind: "proc"},
	}
	for _, step := range steps {
		if err := unix.Mount(step.source, step.target, step.kind, step.flags, step.data); err != nil {
			return fmt.Errorf("mount %s: %w (an ordinary user needs the rights of a user namespace)", step.target, err)
		}
	}
	for _, dir := range []string{stateDir, homeDir, temporaryDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func environment() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + os.Getenv("PATH"),
		"HOME=" + homeDir,
		"TMPDIR=" + temporaryDir,
	}
}

func reap(child int) error {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if pid == child {
			return fmt.Errorf("the supervisor ended: exit status %d, signal %d", status.ExitStatus(), status.Signal())
		}
	}
}
