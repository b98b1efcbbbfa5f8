// Package l2test gives tests network segments of their own, with real kernels
// on them: hosts are network namespaces, cables are veth pairs. It needs root,
// or a kernel that lets an ordinary user make user namespaces. All of it
// vanishes with the test process.
package l2test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

// inside marks the process that runs in a network namespace of its own.
const inside = "HERALD_L2TEST"

// Main runs the tests of a package in a new network namespace, by running the
// test binary again. It is what TestMain calls, and does not return.
func Main(m *testing.M) {
	if os.Getenv(inside) != "" {
		if err := loopback(); err != nil {
			fmt.Fprintln(os.Stderr, "l2test: the loopback interface:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	code, err := again()
	if err != nil {
		fmt.Fprintln(os.Stderr, "l2test: run in a network namespace (as root, or where users may make user namespaces):", err)
		code = 1
	}
	os.Exit(code)
}

// loopback brings lo up, as it is on any host.
func loopback() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

func again() (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// Pdeathsig is bound to the thread that starts the child.
	runtime.LockOSThread()
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}
