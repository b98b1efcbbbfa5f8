package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/e2e/lab/internal/supervisor"
)

// launch starts a lab's first process in new namespaces. Both sockets are
// opened here, in the machine's network namespace, and inherited; what the
// process prints goes to memory, for nobody may be left to read it. The id is
// the process's as the machine knows it.
func launch(config supervisor.Config, control *net.UnixListener) (pid int, output *os.File, err error) {
	program := filepath.Join(config.Root, "bin", "lab")
	needed := []string{"lab", "kube"}
	if config.Deploy != "" || config.VIP != "" {
		needed = append(needed, "herald", "herald-announcer")
	}
	for _, name := range needed {
		if _, err := os.Stat(filepath.Join(config.Root, "bin", name)); err != nil {
			return 0, nil, fmt.Errorf("%w: run make lab build", err)
		}
	}
	server, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, nil, err
	}
	defer server.Close() //nolint:errcheck // inherited
	files, err := inherit(control, server)
	if err != nil {
		return 0, nil, err
	}
	defer func() {
		for _, file := range files {
			_ = file.Close() // inherited
		}
	}()
	fd, err := unix.MemfdCreate("lab", unix.MFD_CLOEXEC)
	if err != nil {
		return 0, nil, err
	}
	output = os.NewFile(uintptr(fd), "output")
	text, err := json.Marshal(config)
	if err != nil {
		return 0, nil, err
	}
	cmd := exec.Command(program, "init", string(text))
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = files
	cmd.SysProcAttr = namespaces()
	if err := cmd.Start(); err != nil {
		return 0, nil, errors.Join(fmt.Errorf("new namespaces: %w", err), output.Close())
	}
	go func() { _ = cmd.Wait() }() // it outlives the caller, who waits by pidfd
	return cmd.Process.Pid, output, nil
}

// inherit orders the sockets as the supervisor expects them.
func inherit(control *net.UnixListener, server *net.TCPListener) ([]*os.File, error) {
	first, err := control.File()
	if err != nil {
		return nil, err
	}
	second, err := server.File()
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	return []*os.File{first, second}, nil
}

// namespaces asks for namespaces of every kind that the lab changes. An
// ordinary user becomes root of a user namespace first.
func namespaces() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Setsid:     true, // a terminal's Ctrl-C is not for the lab
	}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attributes
}

// said returns what the lab printed, as an error; nil if nothing.
func said(output *os.File) error {
	text, err := io.ReadAll(io.NewSectionReader(output, 0, 1<<20))
	if err != nil || len(text) == 0 {
		return err
	}
	return fmt.Errorf("it said:\n%s", text)
}
