package l2

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// Without the right to open packet sockets, the error says which right.
func TestPermission(t *testing.T) {
	result := make(chan error)
	go func() {
		// The capability is the thread's, which ends with the goroutine.
		runtime.LockOSThread()
		if err := dropNetRaw(); err != nil {
			result <- err
			return
		}
		result <- New(DefaultTiming(), slog.New(slog.DiscardHandler)).Run(t.Context(), nil, nil)
	}()
	err := <-result
	if !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("Run = %v, want an error that names CAP_NET_RAW", err)
	}
}

func dropNetRaw() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	data[0].Effective &^= 1 << unix.CAP_NET_RAW
	return unix.Capset(&header, &data[0])
}

// A process that may open no more files announces when it may again.
func TestNoSocketLeft(t *testing.T) {
	here, _ := segment(t)
	here.Address(t, "eth0", "192.0.2.1/24")
	a := run(t, DefaultTiming())
	a.announce(t, netip.MustParseAddr("192.0.2.10")) // the interface is known
	a.Delete(netip.MustParseAddr("192.0.2.10"))
	a.waitState(t, netip.MustParseAddr("192.0.2.10"), announcer.Withdrawn)

	vip := netip.MustParseAddr("192.0.2.11")
	restore := limitFiles(t, 0)
	a.Put(announcer.Announcement{Address: vip})
	a.waitState(t, vip, announcer.OffLink)
	restore()
	a.waitState(t, vip, announcer.Announced)
}

// limitFiles sets the highest file descriptor that the process may open, and
// returns what takes that back.
func limitFiles(t *testing.T, limit uint64) (restore func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	restore = func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(restore)
	return restore
}

// A socket that dies is left alone for a while; then it is opened again, and
// all is told anew. The other family is announced all the time.
func TestSocketDies(t *testing.T) {
	here, _ := segment(t)
	here.Address(t, "eth0", "192.0.2.1/24")
	vip, vip6 := netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")
	states := make(map[netip.Addr]announcer.State)
	broken := make(map[Port]bool)
	a := New(DefaultTiming(), slog.New(slog.DiscardHandler))
	attrs := here.Link(t, "eth0").Attrs()
	ctx, cancel := context.WithCancel(t.Context())
	l := newLoop(a, outageLog{func(s announcer.Status) { states[s.Address] = s.State }, broken})
	defer l.running.Wait()
	defer cancel()
	l.interfaces = []link.Interface{{
		Index: attrs.Index, Name: "eth0", MAC: here.MAC(t, "eth0"), Up: true, Epoch: 1,
		Prefixes: prefixes([]string{"192.0.2.0/24", "2001:db8::/64"}),
	}}
	step := func(now time.Time, want announcer.State) {
		t.Helper()
		l.engine.advance(now)
		l.perform(ctx, now)
		if states[vip] != want || states[vip6] != announcer.Announced {
			t.Fatalf("%v, want the first %s and the second %s", states, want, announcer.Announced)
		}
	}
	now := time.Now()
	l.engine.setInterfaces(now, l.interfaces)
	a.Put(announcer.Announcement{Address: vip})
	a.Put(announcer.Announcement{Address: vip6})
	l.order(now, a.inbox.take())
	step(now, announcer.Announced)

	first := l.ports[portKey{epoch: 1, family: v4}]
	if err := first.conn.Close(); err != nil {
		t.Fatal(err)
	}
	failure := <-l.failures
	l.failed(now, failure)
	step(now, announcer.OffLink)
	if port := (Port{Epoch: 1}); !broken[port] || len(broken) != 1 {
		t.Errorf("told as broken: %v, want %v", broken, port)
	}
	later := now.Add(firstOutage)
	if at, ok := l.next(now); !ok || at.After(later) {
		t.Fatalf("next at %s, %v, want %s at the latest", at, ok, later)
	}
	l.mend(later)
	step(later, announcer.Announced)
	if broken[Port{Epoch: 1}] {
		t.Error("not told as mended")
	}
	second := l.ports[portKey{epoch: 1, family: v4}]
	if second == nil || second == first {
		t.Error("the socket was not opened again")
	}
	// What an old socket complains of does not touch the new.
	l.failed(later, failure)
	step(later, announcer.Announced)
}

// One station that plays thousands does not fill the log; the agent is told all.
func TestStrangersInLog(t *testing.T) {
	var log bytes.Buffer
	told := 0
	a := New(DefaultTiming(), slog.New(slog.NewTextHandler(&log, nil)))
	l := newLoop(a, reporterFunc(func(announcer.Status) { told++ }))
	const count = 10_000
	for i := range count {
		l.report(t.Context(), announcer.Status{
			Address: nth(i, false), State: announcer.Announced, Stranger: announcer.HardwareAddr{2, 0, 0, 0, byte(i >> 8), byte(i)},
		})
	}
	if lines := strings.Count(log.String(), "\n"); lines == 0 || lines > 100 || told != count {
		t.Errorf("%d lines logged, %d statuses told", lines, told)
	}
}

type reporterFunc func(announcer.Status)

func (f reporterFunc) Report(s announcer.Status) { f(s) }

func (reporterFunc) Broken(Port, bool) {}

// outageLog is a reporter that remembers which ports are broken.
type outageLog struct {
	reporterFunc
	broken map[Port]bool
}

func (l outageLog) Broken(p Port, broken bool) { l.broken[p] = broken }

// Health is good while the loop turns, and only then.
func TestHealth(t *testing.T) {
	segment(t)
	a := run(t, DefaultTiming())
	a.Put(announcer.Announcement{Address: netip.MustParseAddr("192.0.2.10")})
	a.waitState(t, netip.MustParseAddr("192.0.2.10"), announcer.OffLink)
	if err := a.Health(); err != nil {
		t.Errorf("Health = %v", err)
	}
	a.stop()
	if err := a.Health(); err == nil {
		t.Error("an announcer that does not run is healthy")
	}
}
