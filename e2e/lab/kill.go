package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// kill ends a lab by its first process, and waits for its end, which is the
// end of everything inside.
func kill(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	process := os.NewFile(uintptr(fd), "pidfd")
	defer process.Close() //nolint:errcheck // only waited on
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process %d: %w", pid, err)
	}
	return awaitExit(ctx, process)
}

// awaitExit waits until the process of a pidfd, readable then, has ended.
func awaitExit(ctx context.Context, process *os.File) error {
	stop := context.AfterFunc(ctx, func() { _ = process.SetReadDeadline(time.Now()) })
	defer stop()
	raw, err := process.SyscallConn()
	if err != nil {
		return err
	}
	err = raw.Read(func(fd uintptr) bool {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return ready > 0 && err == nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
