package membership

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

// BenchmarkDetection stops a process, which makes it silent, and takes the time
// until another node takes it for dead.
func BenchmarkDetection(b *testing.B) {
	for _, o := range []Options{{Interval: 25 * time.Millisecond, Multiplier: 4}, {Interval: 10 * time.Millisecond, Multiplier: 3}} {
		b.Run(fmt.Sprintf("%s×%d", o.Interval, o.Multiplier), func(b *testing.B) {
			n := newNetwork(b)
			o.Node = "a"
			a := run(b, n.host(b, v4, v6), o)
			o.Node = "b"
			c := startChild(b, n.host(b, v4, v6), o)
			a.waitJoined(b, "b")
			var all []time.Duration
			for b.Loop() {
				during(b, time.Duration(len(all)*7919_000)%(2*o.Interval)) // somewhere between two heartbeats
				a.forget()
				stopped := time.Now()
				c.signal(b, syscall.SIGSTOP)
				all = append(all, a.waitGone(b, "b").at.Sub(stopped))
				c.signal(b, syscall.SIGCONT)
				a.waitJoined(b, "b")
			}
			reportTimes(b, all)
		})
	}
}

// BenchmarkNode is what a node of three costs, by both families at 25 ms: the
// processor time in a second, for a second or more.
func BenchmarkNode(b *testing.B) {
	n := newNetwork(b)
	for _, node := range []string{"b", "c"} {
		startChild(b, n.host(b, v4, v6), Options{Node: node})
	}
	c := startChild(b, n.host(b, v4, v6), Options{Node: "a"})
	for range 2 { // the others joined
		c.cries.Scan()
	}
	during(b, alertTime)
	before, begin := c.used(b), time.Now()
	for b.Loop() {
		during(b, time.Second)
	}
	b.ReportMetric(float64((c.used(b)-before).Microseconds())/time.Since(begin).Seconds(), "cpu-µs/s")
}

// used is the processor time that the process has used.
func (c *child) used(t testing.TB) (d time.Duration) {
	t.Helper()
	for _, task := range c.tasks(t) {
		var ran int64
		b, err := os.ReadFile(task + "/schedstat")
		must(t, err)
		_, err = fmt.Sscan(string(b), &ran)
		must(t, err)
		d += time.Duration(ran)
	}
	return d
}

func (c *child) tasks(t testing.TB) (paths []string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/task", c.Process.Pid)
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		paths = append(paths, dir+"/"+e.Name())
	}
	return paths
}

// reportTimes reports how a time is distributed.
func reportTimes(b *testing.B, all []time.Duration) {
	b.Helper()
	slices.Sort(all)
	report := func(name string, i int) { b.ReportMetric(float64(all[i].Microseconds())/1000, name) }
	report("p50-ms", len(all)/2)
	report("p99-ms", len(all)*99/100)
	report("max-ms", len(all)-1)
}

// BenchmarkGap takes the time between the heartbeats of a node at 25 ms, by the
// clock of another's kernel, on a machine with eight busy loops. For the other ways
// of scheduling, take CAP_SYS_NICE from it.
func BenchmarkGap(b *testing.B) {
	n := newNetwork(b)
	startChild(b, n.host(b, v4, v6), Options{Node: "a"})
	s := newStranger(b, n.host(b, v4))
	for range 8 {
		busy := exec.Command("sh", "-c", "while :; do :; done")
		must(b, busy.Start())
		b.Cleanup(func() {
			_ = busy.Process.Kill()
			_ = busy.Wait()
		})
	}
	batch := datagram.NewBatch(wire.MaxDatagram)
	var last int64
	var gaps []time.Duration
	for b.Loop() {
		before := len(gaps)
		for len(gaps) == before {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, 1000)
			count, _ := batch.Receive(s.fd, 0)
			for i := range count {
				stamp := batch.Datagram(i).Stamp
				if last != 0 {
					gaps = append(gaps, time.Duration(stamp-last))
				}
				last = stamp
			}
		}
	}
	reportTimes(b, gaps)
}
