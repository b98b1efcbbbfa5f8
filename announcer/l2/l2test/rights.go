package l2test

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Without calls f on a thread that lacks a capability, such as unix.CAP_NET_ADMIN.
func Without(capability uint, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // The thread ends with the goroutine.
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var sets [2]unix.CapUserData // of 32 capabilities each
		err := unix.Capget(&header, &sets[0])
		if err == nil {
			sets[capability/32].Effective &^= 1 << (capability % 32)
			err = unix.Capset(&header, &sets[0])
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}
