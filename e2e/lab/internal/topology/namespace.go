package topology

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netns"
)

// Namespace is an open network namespace.
type Namespace struct {
	Name   string
	handle netns.NsHandle
}

// NewNamespace makes a network namespace. With a name it appears under
// /run/netns, where iproute2 finds it; without one it lives until Close and
// the end of the processes inside.
func NewNamespace(name string) (Namespace, error) {
	ns := Namespace{Name: name}
	err := onThread(func() (err error) {
		if name == "" {
			ns.handle, err = netns.New()
			return err
		}
		ns.handle, err = netns.NewNamed(name)
		return err
	})
	if err != nil {
		return Namespace{}, fmt.Errorf("make network namespace %q: %w", name, err)
	}
	return ns, nil
}

// AdoptNamespace gives the calling process's own network namespace a name.
func AdoptNamespace(name string) (Namespace, error) {
	own, err := OwnNamespace()
	if err != nil {
		return Namespace{}, err
	}
	own.Name = name
	if err := bindNamespace(own.handle, name); err != nil {
		return Namespace{}, fmt.Errorf("name own network namespace %q: %w", name, err)
	}
	return own, nil
}

// OwnNamespace opens the calling process's own network namespace.
func OwnNamespace() (Namespace, error) {
	handle, err := netns.Get()
	if err != nil {
		return Namespace{}, fmt.Errorf("open own network namespace: %w", err)
	}
	return Namespace{handle: handle}, nil
}

// Do runs f on a thread inside the namespace. Sockets that f opens and
// processes that it starts belong to the namespace.
func (n Namespace) Do(f func() error) error {
	return onThread(func() error {
		if err := netns.Set(n.handle); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", n.Name, err)
		}
		return f()
	})
}

// Close lets go of the namespace.
func (n Namespace) Close() error { return n.handle.Close() }

// onThread runs f on a thread of its own, which ends with f, so that no other
// goroutine ever runs in the namespaces that f entered.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // not unlocked: the runtime then ends the thread
		done <- f()
	}()
	return <-done
}

func bindNamespace(handle netns.NsHandle, name string) error {
	path := filepath.Join("/run/netns", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return bindMount(fmt.Sprintf("/proc/self/fd/%d", int(handle)), path)
}
