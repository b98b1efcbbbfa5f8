package container

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// enterRoot builds the container's root file system in memory and makes it the
// root of the calling process's mount namespace.
func enterRoot(spec Spec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("tmpfs", spec.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount %s: %w", spec.Root, err)
	}
	mounts := append(devices(), spec.Mounts...)
	for _, mount := range mounts {
		if err := mount.bind(spec.Root); err != nil {
			return err
		}
	}
	// Now, for one may lie in another.
	for _, mount := range mounts {
		if !mount.ReadOnly {
			continue
		}
		if err := makeReadOnly(filepath.Join(spec.Root, mount.Target)); err != nil {
			return err
		}
	}
	if err := kernelFileSystems(spec.Root); err != nil {
		return err
	}
	if err := hosts(spec.Root); err != nil {
		return err
	}
	if spec.ReadOnlyRoot {
		if err := makeReadOnly(spec.Root); err != nil {
			return err
		}
	}
	return pivot(spec.Root)
}

func devices() []Mount {
	var mounts []Mount
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		path := filepath.Join("/dev", name)
		mounts = append(mounts, Mount{Source: path, Target: path})
	}
	return mounts
}

// bind makes the mount point and binds the source there.
func (m Mount) bind(root string) error {
	target := filepath.Join(root, m.Target)
	info, err := os.Stat(m.Source)
	if err != nil {
		return err
	}
	directory := target
	if !info.IsDir() {
		directory = filepath.Dir(target)
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	if !info.IsDir() {
		if err := os.WriteFile(target, nil, 0o644); err != nil {
			return err
		}
	}
	if err := unix.Mount(m.Source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", m.Source, m.Target, err)
	}
	return nil
}

// makeReadOnly keeps the flags that a mount has from another user namespace,
// which may not be cleared.
func makeReadOnly(path string) error {
	attributes := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, path, 0, &attributes); err != nil {
		return fmt.Errorf("make %s read-only: %w", path, err)
	}
	return nil
}

func kernelFileSystems(root string) error {
	for _, mount := range []struct {
		kind, target string
		flags        uintptr
	}{
		{"proc", "proc", 0},
		{"sysfs", "sys", unix.MS_RDONLY},
	} {
		target := filepath.Join(root, mount.target)
		if err := os.Mkdir(target, 0o755); err != nil {
			return err
		}
		flags := mount.flags | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
		if err := unix.Mount(mount.kind, target, mount.kind, flags, ""); err != nil {
			return fmt.Errorf("mount /%s: %w", mount.target, err)
		}
	}
	return nil
}

func hosts(root string) error {
	directory := filepath.Join(root, "etc")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "hosts"), []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644)
}

// pivot makes root the root directory and lets go of the former one. Old and
// new lie on one another, as pivot_root(2) allows, so no directory is needed.
func pivot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	return unix.Unmount(".", unix.MNT_DETACH)
}
