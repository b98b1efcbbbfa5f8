package kind

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/heraldlb/herald/e2e/docker"
)

//go:embed realtime.sh
var realtimeHook string

// What kernels with RT_GROUP_SCHED, which few distributions have, share out by control
// groups of version 1. Where there is no such file, announcers run in real time by
// CAP_SYS_NICE alone; where there is, nothing in a container would without a share. They
// would be as late as all else on a busy machine.
const (
	groups   = "/sys/fs/cgroup/cpu"
	realTime = "cpu.rt_runtime_us"
)

// allowRealTime has a node's runtime give announcers their share of what the node has.
func (c *Cluster) allowRealTime(ctx context.Context, node string) error {
	if _, err := os.Stat(filepath.Join(groups, realTime)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	const install = `cat >/usr/local/bin/realtime; chmod 755 /usr/local/bin/realtime
		spec=/etc/containerd/cri-base.json
		jq '.hooks.createRuntime += [{path: "/usr/local/bin/realtime"}]' $spec >$spec.new; mv $spec.new $spec
		systemctl restart containerd`
	_, err := docker.Run(ctx, strings.NewReader(realtimeHook), "exec", "--interactive", node, "sh", "-ec", install)
	return err
}

// shareRealTime gives a node that has just started its third of the real time that there is.
func (c *Cluster) shareRealTime(ctx context.Context, node string) error {
	if _, err := os.Stat(filepath.Join(groups, realTime)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	text, err := docker.Run(ctx, nil, "inspect", "--format", "{{.Id}} {{.State.Pid}}", node)
	if err != nil {
		return err
	}
	id, pid, _ := strings.Cut(strings.TrimSpace(text), " ")
	group, err := groupOf(pid)
	if err != nil {
		return err
	}
	at := groups
	for part := range strings.SplitSeq(strings.Trim(group, "/"), "/") {
		share := "930000" // all nodes', of the kernel's 950000 in a second
		if strings.Contains(part, id) {
			share = "310000"
		}
		at = filepath.Join(at, part)
		if c.shared == "" {
			c.shared = at
		}
		if err := os.WriteFile(filepath.Join(at, realTime), []byte(share), 0o644); err != nil {
			return fmt.Errorf("real time for %s: %w", node, err)
		}
		if strings.Contains(part, id) {
			return nil
		}
	}
	return fmt.Errorf("%s is not in a control group of its own, but in %s", node, group)
}

// takeRealTimeBack leaves the machine as it was.
func (c *Cluster) takeRealTimeBack() error {
	if c.shared == "" {
		return nil
	}
	at := c.shared
	c.shared = ""
	return os.WriteFile(filepath.Join(at, realTime), []byte("0"), 0o644)
}

// groupOf returns a process's control group by the processor's controller.
func groupOf(pid string) (string, error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "cgroup"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && (fields[1] == "cpu" || strings.HasPrefix(fields[1], "cpu,")) {
			return fields[2], nil
		}
	}
	return "", fmt.Errorf("process %s has no control group of the processor", pid)
}
