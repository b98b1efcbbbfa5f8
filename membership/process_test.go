package membership

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests of this file have nodes that are processes.

// A process is killed: its kernel refuses what is sent to it, so that it is dead
// before its silence is long enough.
func TestKilled(t *testing.T) {
	for name, families := range map[string][]string{v4: {v4}, v6: {v6}, "both": {v4, v6}} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			a := run(t, n.host(t, families...), Options{Node: "a", Interval: 100 * time.Millisecond})
			b := startChild(t, n.host(t, families...), Options{Node: "b", Interval: 25 * time.Millisecond, Multiplier: 100})
			a.waitJoined(t, "b")
			b.signal(t, syscall.SIGKILL)
			e := a.waitGone(t, "b")
			if e.reason != Refused {
				t.Errorf("b is gone: %s, want %s", e.reason, Refused)
			}
			if silent := e.at.Sub(e.heard); silent < 25*time.Millisecond || silent > 2500*time.Millisecond {
				t.Errorf("b was heard last %s before it was gone", silent)
			}
		})
	}
}

// A process that is stopped for 50 ms, again and again, is not dead.
func TestStopped(t *testing.T) {
	n := newNetwork(t)
	a := run(t, n.host(t, v4, v6), Options{Node: "a"})
	b := startChild(t, n.host(t, v4, v6), Options{Node: "b"})
	a.waitJoined(t, "b")
	for range 5 {
		b.signal(t, syscall.SIGSTOP)
		during(t, 50*time.Millisecond)
		b.signal(t, syscall.SIGCONT)
		during(t, 100*time.Millisecond)
	}
	a.nobodyGone(t)
}

// A process that was stopped itself for long blames nobody.
func TestStoppedReader(t *testing.T) {
	n := newNetwork(t)
	a := run(t, n.host(t, v4, v6), Options{Node: "a"})
	b := startChild(t, n.host(t, v4, v6), Options{Node: "b"})
	a.waitJoined(t, "b")
	joined := false
	for !joined && b.cries.Scan() {
		joined = b.cries.Text() == "joined a"
	}
	for range 3 {
		b.signal(t, syscall.SIGSTOP)
		during(t, 300*time.Millisecond)
		b.signal(t, syscall.SIGCONT)
		during(t, 200*time.Millisecond)
	}
	b.end()
	for b.cries.Scan() {
		if strings.HasPrefix(b.cries.Text(), "gone") {
			t.Errorf("b says %q", b.cries.Text())
		}
	}
}
