package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/nodesocket"
)

func TestMain(m *testing.M) { l2test.Main(m) }

// The process that reads strangers' packets holds no Kubernetes client.
func TestNoKubernetes(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "announcer/l2") {
		t.Errorf("no announcer/l2 among the dependencies: %s", out)
	}
	for dependency := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(dependency, "k8s.io/") || strings.HasPrefix(dependency, "sigs.k8s.io/") {
			t.Errorf("depends on %s", dependency)
		}
	}
}

// program builds the program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "herald-announcer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

func candidacy(addr netip.Addr) announcer.Candidacy {
	return announcer.Candidacy{Announcement: announcer.Announcement{Address: addr, Probe: true}, Eligible: true}
}

// statuses is an agent's observer.
type statuses chan announcer.Status

func (s statuses) Observe(status announcer.Status)     { s <- status }
func (statuses) Reset()                                {}
func (statuses) Away()                                 {}
func (s statuses) ObserveSamples(_ []announcer.Sample) {}
func (statuses) ObserveView(announcer.View)            {}

func (s statuses) wait(t *testing.T, addr netip.Addr, state announcer.State) {
	t.Helper()
	timeout := time.After(l2test.Patience)
	for {
		select {
		case status := <-s:
			if status.Address == addr && status.State == state {
				return
			}
		case <-timeout:
			t.Fatalf("waited for %s to be %s", addr, state)
		}
	}
}

// The announcer answers for what an agent told it, also when that is gone, until
// SIGTERM; it leaves no socket behind, and is small.
func TestProcess(t *testing.T) {
	here, client := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", client, "eth0")
	here.Address(t, "eth0", "192.0.2.1/24")
	client.Address(t, "eth0", "192.0.2.99/24")
	vip := netip.MustParseAddr("192.0.2.10")
	path, socket := program(t), filepath.Join(t.TempDir(), "announcer.sock")

	probe := func() error {
		return exec.CommandContext(t.Context(), path, "--probe", "--socket", socket).Run()
	}
	if probe() == nil {
		t.Error("a probe of nobody is good")
	}
	process := exec.CommandContext(t.Context(), path, "--socket", socket)
	process.Stderr = t.Output()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}

	ctx, leave := context.WithCancel(t.Context())
	observer := make(statuses, 16)
	agent := nodesocket.NewClient(socket, observer, slog.New(slog.DiscardHandler))
	done := make(chan error)
	go func() { done <- agent.Run(ctx) }()
	if err := errors.Join(agent.Facts(announcer.Facts{Cluster: "test", Nodes: 1}), agent.Put(candidacy(vip))); err != nil {
		t.Fatal(err)
	}
	agent.Synced()
	observer.wait(t, vip, announcer.Announced)
	if err := probe(); err != nil {
		t.Errorf("probe: %v", err)
	}
	leave()
	if err := <-done; err != nil {
		t.Error(err)
	}
	client.Talk(t, vip)
	client.WaitNeighbor(t, vip, here.MAC(t, "eth0"), netlink.NUD_REACHABLE)

	const mebibyte, limit = 1 << 10, 20
	if rss := residentKiB(t, process.Process.Pid); rss > limit*mebibyte {
		t.Errorf("resident size is %d KiB, want at most %d MiB", rss, limit)
	} else {
		t.Logf("resident size is %d KiB", rss)
	}
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// residentKiB returns the resident size of a process.
func residentKiB(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if text, found := strings.CutPrefix(line, "VmRSS:"); found {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(text), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// Without the capability it ends at once, and names it.
func TestMissingCapability(t *testing.T) {
	path := program(t)
	var stderr bytes.Buffer
	process := exec.CommandContext(t.Context(), path, "--socket", filepath.Join(t.TempDir(), "announcer.sock"))
	process.Stderr = &stderr
	started := make(chan error)
	go func() {
		// The child gets no more than the bounding set of this thread, which
		// ends with the goroutine.
		runtime.LockOSThread()
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_NET_RAW, 0, 0, 0); err != nil {
			started <- err
			return
		}
		started <- process.Start()
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err == nil {
		t.Error("it ran without CAP_NET_RAW")
	}
	if !strings.Contains(stderr.String(), "CAP_NET_RAW") {
		t.Errorf("it said %q, want CAP_NET_RAW named", stderr.String())
	}
}

func TestFlags(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"level":    {[]string{"--log-level", "loud"}, `--log-level "loud"`},
		"unknown":  {[]string{"--loud"}, "--loud"},
		"argument": {[]string{"loud"}, "loud"},
		"interval": {[]string{"--heartbeat-interval", "often"}, `--heartbeat-interval "often"`},
		"quick":    {[]string{"--heartbeat-interval", "1us"}, `--heartbeat-interval "1us"`},
		"silence":  {[]string{"--heartbeat-multiplier", "0"}, "--heartbeat-multiplier 0"},
		"port":     {[]string{"--heartbeat-port", "0"}, "--heartbeat-port 0"},
		"mode":     {[]string{"--heartbeat", "broadcast"}, `--heartbeat "broadcast"`},
		"peer":     {[]string{"--heartbeat-peer", "worker-1"}, `--heartbeat-peer "worker-1"`},
		"node":     {[]string{"--node-name", strings.Repeat("n", 300)}, "--node-name"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := newCommand()
			cmd.SetArgs(tt.args)
			cmd.SetErr(io.Discard)
			if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s in it", err, tt.want)
			}
		})
	}
}
