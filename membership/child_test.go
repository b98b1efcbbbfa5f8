package membership

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/realtime"
)

// childNode is set for a process that is a node of its own.
const childNode = "HERALD_MEMBERSHIP_CHILD"

// childSetting is its interval in nanoseconds and its multiplier.
const childSetting = childNode + "_SETTING"

// childMain takes part until standard input ends.
func childMain(node string) int {
	_ = realtime.Favour() // as far as the rights go
	handle, err := netlink.NewHandle()
	if err == nil {
		err = takePart(node, handle)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, node+":", err)
		return 1
	}
	return 0
}

func takePart(node string, handle *netlink.Handle) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	all, err := readInterfaces(handle)
	if err != nil {
		return err
	}
	o := Options{Node: node}
	if setting := os.Getenv(childSetting); setting != "" {
		if _, err := fmt.Sscan(setting, &o.Interval, &o.Multiplier); err != nil {
			return err
		}
	}
	m := New(o, slog.New(slog.DiscardHandler))
	m.SetInterfaces(all)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return m.Run(ctx, crier{})
}

// crier is an Observer that prints who came and went.
type crier struct{}

func (crier) Joined(p Peer) { fmt.Fprintln(os.Stdout, "joined", p.Node) }
func (crier) Gone(id election.ID, why Reason, _ time.Time) {
	fmt.Fprintln(os.Stdout, "gone", id.Node, why)
}
func (crier) Heard(election.ID, election.Digest)     {}
func (crier) Received(election.ID, election.Message) {}

func (crier) Listening([]int) {}

func (crier) Renumbered(uint64) {}

// child is a node that is a process.
type child struct {
	*exec.Cmd
	cries *bufio.Scanner
	end   func()
}

// startChild starts a node on a host, with an interval and multiplier if they are
// given.
func startChild(t testing.TB, h *l2test.Host, o Options) *child {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := &child{Cmd: exec.Command(self)}
	c.Env = append(os.Environ(), childNode+"="+o.Node)
	if o.Interval != 0 {
		c.Env = append(c.Env, fmt.Sprintf("%s=%d %d", childSetting, o.Interval, o.Multiplier))
	}
	c.Stderr = t.Output()
	input, err := c.StdinPipe()
	must(t, err)
	output, err := c.StdoutPipe()
	must(t, err)
	c.cries = bufio.NewScanner(output)
	h.Do(t, c.Start) // it inherits the namespace of the thread
	c.end = sync.OnceFunc(func() { _ = input.Close() })
	t.Cleanup(func() {
		c.end()
		_ = c.Process.Signal(syscall.SIGCONT)
		_ = c.Wait()
	})
	return c
}

func (c *child) signal(t testing.TB, s os.Signal) {
	t.Helper()
	must(t, c.Process.Signal(s))
}

// during lets real time pass, in which something else is to happen, or nothing.
func during(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
