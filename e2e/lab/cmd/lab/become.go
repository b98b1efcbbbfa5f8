package main

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// become replaces this program by a command, so that standard streams, signals
// and the exit code are the command's own.
func become(cmd *exec.Cmd) error {
	if cmd.Err != nil {
		return cmd.Err
	}
	for i, file := range cmd.ExtraFiles {
		if err := unix.Dup3(int(file.Fd()), 3+i, 0); err != nil {
			return err
		}
	}
	return syscall.Exec(cmd.Path, cmd.Args, cmd.Environ())
}
