package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The hidden verbs of this program that become a container's processes.
const (
	RunVerb  = "container"
	ExecVerb = "container-exec"
)

// Command returns the command that starts the container of a spec file. Its
// process dies with the thread that starts it.
func Command(specFile string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", RunVerb, specFile)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	return cmd
}

// ExecCommand returns the command that runs one more program in the container
// whose first process has that id.
func ExecCommand(ctx context.Context, specFile string, pid int, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "/proc/self/exe",
		append([]string{ExecVerb, specFile, strconv.Itoa(pid), "--"}, args...)...)
}

// Main turns the calling process, started by Command, into the container's.
func Main(specFile string) error {
	spec, err := read(specFile)
	if err != nil {
		return err
	}
	if err := enterRoot(spec); err != nil {
		return err
	}
	return spec.become(spec.Args)
}

// ExecMain turns the calling process, started by ExecCommand, into one inside
// the container.
func ExecMain(specFile string, pid int, args []string) error {
	spec, err := read(specFile)
	if err != nil {
		return err
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	// A thread that shares its root directory with others may not leave it.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter the container of process %d: %w", pid, err)
	}
	return spec.become(args)
}

// become takes on the credentials and runs the program in place of this one.
// Credentials are a thread's own: the thread that takes them must be the one
// that calls exec.
func (s Spec) become(args []string) error {
	if len(args) == 0 {
		return errors.New("no command")
	}
	runtime.LockOSThread()
	if err := os.Chdir(s.Dir); err != nil {
		return err
	}
	if err := s.Credentials.take(); err != nil {
		return err
	}
	if err := unix.Exec(args[0], args, s.Env); err != nil {
		return fmt.Errorf("run %s: %w", args[0], err)
	}
	return nil
}
