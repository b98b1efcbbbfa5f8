package container

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// capabilityNames returns the capabilities in the order of their numbers
// (capabilities(7)).
func capabilityNames() []string {
	return []string{
		"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
		"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
		"IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
		"SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
		"LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
		"WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
	}
}

// DefaultCapabilities are those that a container has unless its Pod says
// otherwise, as with containerd.
func DefaultCapabilities() []string {
	return []string{
		"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID",
		"SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
	}
}

// AllCapabilities are those of a privileged container.
func AllCapabilities() []string { return capabilityNames() }

// take gives the calling thread these credentials, for good.
func (c Credentials) take() error {
	keep, err := c.mask()
	if err != nil {
		return err
	}
	for number, name := range capabilityNames() {
		if keep&(1<<number) != 0 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(number), 0, 0, 0)
		if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: an older kernel lacks it
			return fmt.Errorf("drop CAP_%s: %w", name, err)
		}
	}
	if err := c.takeUser(); err != nil {
		return err
	}
	if c.User == 0 {
		if err := setCapabilities(keep); err != nil {
			return err
		}
	}
	if c.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("no_new_privs: %w", err)
		}
	}
	// A change of credentials clears it.
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
}

// takeUser changes the user; where there is only one, as in an ordinary
// user's namespace, the caller asks for none but 0.
func (c Credentials) takeUser() error {
	if c.User == 0 && c.Group == 0 && len(c.Groups) == 0 {
		return nil
	}
	return errors.Join(
		syscall.Setgroups(c.Groups),
		syscall.Setresgid(c.Group, c.Group, c.Group),
		syscall.Setresuid(c.User, c.User, c.User),
	)
}

func (c Credentials) mask() (uint64, error) {
	var mask uint64
	names := capabilityNames()
	for _, name := range c.Capabilities {
		number := slices.Index(names, name)
		if number < 0 {
			return 0, fmt.Errorf("unknown capability %q", name)
		}
		mask |= 1 << number
	}
	return mask, nil
}

func setCapabilities(mask uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var now [2]unix.CapUserData
	if err := unix.Capget(&header, &now[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	for i := range now {
		half := uint32(mask>>(32*i)) & now[i].Permitted
		now[i] = unix.CapUserData{Effective: half, Permitted: half}
	}
	if err := unix.Capset(&header, &now[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}
