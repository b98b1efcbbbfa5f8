package mld

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scenario plays a listener; random waits are always the longest.
type scenario struct {
	t     *testing.T
	l     *Listener
	start time.Time
	now   time.Time
}

func newScenario(t *testing.T) *scenario {
	t.Helper()
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return &scenario{t, NewListener(func(limit time.Duration) time.Duration { return limit }), start, start}
}

// wait lets time pass and compares what is said meanwhile.
func (s *scenario) wait(d time.Duration, want ...string) {
	s.t.Helper()
	end := s.now.Add(d)
	var got []string
	for {
		at, ok := s.l.Next()
		if !ok || at.After(end) {
			break
		}
		if at.After(s.now) {
			s.now = at
		}
		for _, p := range s.l.Due(s.now) {
			got = append(got, fmt.Sprintf("%s %s", s.now.Sub(s.start), describe(p)))
		}
	}
	s.now = end
	if d := cmp.Diff(want, got); d != "" {
		s.t.Errorf("(-want +got):\n%s", d)
	}
}

func describe(p Packet) string {
	if p.Message[0] != typeReport2 {
		return fmt.Sprintf("%s type %d group %s", p.To, p.Message[0], netip.AddrFrom16([16]byte(p.Message[headerSize:])))
	}
	var out []string
	for i := range int(binary.BigEndian.Uint16(p.Message[6:])) {
		r := p.Message[headerSize+i*recordSize:]
		kind := map[recordType]string{modeIsExclude: "is", changeToInclude: "left", changeToExclude: "joined"}[recordType(r[0])]
		out = append(out, fmt.Sprintf("%s %d", kind, r[recordSize-1]))
	}
	return strings.Join(out, ", ")
}

func TestChanges(t *testing.T) {
	s := newScenario(t)
	s.l.Set(s.now, group(1), true)
	s.l.Set(s.now, group(2), true)
	s.l.Set(s.now, group(2), true)
	s.wait(time.Second, "0s joined 1, joined 2")
	s.l.Set(s.now, group(3), true)
	s.wait(10*time.Second,
		"1s joined 3",
		"2s joined 1, joined 2, joined 3",
		"4s joined 1, joined 2, joined 3")
	s.l.Set(s.now, group(1), false)
	s.wait(10*time.Second, "11s left 1", "13s left 1", "15s left 1")
	// Left before it was told to be joined, and back.
	s.l.Set(s.now, group(4), true)
	s.l.Set(s.now, group(4), false)
	s.l.Set(s.now, group(4), true)
	s.wait(0, "21s joined 4")
}

func TestQueries(t *testing.T) {
	s := newScenario(t)
	// In no group there is nothing to say.
	s.l.Queried(s.now, Query{Version: 2, MaxDelay: time.Second})
	s.wait(time.Second)
	for n := range byte(3) {
		s.l.Set(s.now, group(n), true)
	}
	s.wait(9*time.Second, "1s joined 0, joined 1, joined 2", "3s joined 0, joined 1, joined 2", "5s joined 0, joined 1, joined 2")

	// All are asked for, twice; one is, and one that is not ours.
	s.l.Queried(s.now, Query{Version: 2, MaxDelay: 3 * time.Second})
	s.l.Queried(s.now, Query{Version: 2, MaxDelay: 2 * time.Second})
	s.l.Queried(s.now, Query{Version: 2, MaxDelay: time.Second, Group: group(1)})
	s.l.Queried(s.now, Query{Version: 2, MaxDelay: time.Second, Group: group(9)})
	s.wait(10*time.Second, "11s is 1", "12s is 0, is 1, is 2")

	// One is left before the answer.
	s.l.Queried(s.now, Query{Version: 2, MaxDelay: time.Second, Group: group(1)})
	s.l.Set(s.now, group(1), false)
	s.wait(10*time.Second, "20s left 1", "22s left 1", "24s left 1")

	// Who asks without end is not answered without end.
	s.l.Queried(s.now, Query{Version: 2})
	s.wait(0, "30s is 0, is 2")
	s.l.Queried(s.now, Query{Version: 2})
	s.l.Queried(s.now, Query{Version: 2})
	s.wait(time.Second, "30.101s is 0, is 2")
}

func TestFlood(t *testing.T) {
	s := newScenario(t)
	s.l.Set(s.now, group(1), true)
	s.wait(10*time.Second, "0s joined 1", "2s joined 1", "4s joined 1")
	answers := 0
	for range 1000 { // a query a millisecond
		s.l.Queried(s.now, Query{Version: 2})
		answers += len(s.l.Due(s.now))
		s.now = s.now.Add(time.Millisecond)
	}
	if answers != 10 {
		t.Errorf("%d answers in a second, want 10", answers)
	}
}

// A querier of version 1 is answered in version 1, until it is silent.
func TestVersion1(t *testing.T) {
	s := newScenario(t)
	s.l.Queried(s.now, Query{Version: 1, MaxDelay: time.Second})
	s.l.Set(s.now, group(1), true)
	s.l.Queried(s.now, Query{Version: 1, MaxDelay: time.Second})
	s.wait(10*time.Second,
		"0s ff02::1:ff00:1 type 131 group ff02::1:ff00:1",
		"1s ff02::1:ff00:1 type 131 group ff02::1:ff00:1",
		"2s ff02::1:ff00:1 type 131 group ff02::1:ff00:1",
		"4s ff02::1:ff00:1 type 131 group ff02::1:ff00:1")
	s.wait(time.Hour)
	s.l.Set(s.now, group(1), false)
	s.wait(0, "1h0m10s left 1")
	s.l.Queried(s.now, Query{Version: 1, MaxDelay: time.Second})
	s.wait(2*time.Second, "1h0m12s ff02::2 type 132 group ff02::1:ff00:1")
}
