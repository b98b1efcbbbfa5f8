package membership

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// readKeys reads the keys for the first time.
func (d *desk) readKeys() (err error) {
	if d.options.KeyDirectory != "" {
		d.keys, err = readKeyring(d.options.KeyDirectory)
	}
	d.keyed.Store(len(d.keys.keys) > 0)
	return err
}

// reread reads the keys again. Bad ones change nothing, and neither do none, for
// they would be a way to do without.
func (d *desk) reread() {
	ring, err := readKeyring(d.options.KeyDirectory)
	switch {
	case err != nil:
		d.log.Error("the keys of heartbeats cannot be used, keeping those from before", "error", err)
		d.keyFault = err.Error()
		return
	case len(ring.keys) == 0 && len(d.keys.keys) > 0:
		d.log.Error("the keys of heartbeats are gone, keeping those from before", "directory", d.options.KeyDirectory)
		d.keyFault = "no keys in " + d.options.KeyDirectory
		return
	}
	d.keyFault = ""
	if ring.equal(d.keys) {
		return
	}
	d.log.Info("new keys of heartbeats", "directory", d.options.KeyDirectory, "keys", len(ring.keys))
	d.keys = ring
	d.keyed.Store(true)
	d.want(func(*wanted) {})
}

// watchKeys has the desk read the keys when their directory changes, until the
// function that it returns is called. A mounted Secret changes by a rename.
func (d *desk) watchKeys() (stop func(), err error) {
	if d.options.KeyDirectory == "" {
		return func() {}, nil
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch keys: %w", err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	const changes = unix.IN_CREATE | unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE
	if _, err := unix.InotifyAddWatch(fd, d.options.KeyDirectory, changes); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("watch keys in %s: %w", d.options.KeyDirectory, err)
	}
	d.keysChanged.Store(true) // they may have been since they were read
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			if _, err := file.Read(buffer); err != nil {
				return // closed
			}
			d.keysChanged.Store(true)
			d.wakeDeskLocked()
		}
	}()
	return func() {
		_ = file.Close()
		<-done
	}, nil
}
