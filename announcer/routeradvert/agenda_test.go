package routeradvert

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer/l2/link"
)

// scenario plays an agenda; random waits are always the longest.
type scenario struct {
	t          *testing.T
	a          *agenda
	start, now time.Time
	// faults are what comes of sending, by interface.
	faults map[string]error
}

func newScenario(t *testing.T) *scenario {
	t.Helper()
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return &scenario{t, newAgenda(func(limit time.Duration) time.Duration { return limit }), start, start, make(map[string]error)}
}

// wait lets time pass and compares what is sent meanwhile, and what is complained of after.
func (s *scenario) wait(d time.Duration, complaints []string, want ...string) {
	s.t.Helper()
	end := s.now.Add(d)
	var got []string
	for {
		at, ok := s.a.next()
		if !ok || at.After(end) {
			break
		}
		if at.After(s.now) {
			s.now = at
		}
		for _, on := range s.a.take(s.now) {
			err := s.faults[on.Name]
			if err == nil {
				got = append(got, fmt.Sprintf("%s %s", s.now.Sub(s.start), on.Name))
			}
			s.a.done(s.now, on.Epoch, err)
		}
	}
	s.now = end
	if d := cmp.Diff(want, got); d != "" {
		s.t.Errorf("sent (-want +got):\n%s", d)
	}
	if d := cmp.Diff(complaints, s.a.complaints()); d != "" {
		s.t.Errorf("complaints (-want +got):\n%s", d)
	}
}

func (s *scenario) known(all ...link.Interface) { s.a.setKnown(s.now, all) }

func up(name string, epoch uint64) link.Interface {
	return link.Interface{Name: name, Up: true, Epoch: epoch}
}

func TestPeriod(t *testing.T) {
	s := newScenario(t)
	s.known(up("eth0", 1), up("eth1", 2))
	s.wait(time.Minute, nil)
	s.a.setNames(s.now, []string{"eth0"})
	s.wait(25*time.Second, nil, "1m0s eth0", "1m10s eth0", "1m20s eth0")
	// Another one does not disturb the first.
	s.a.setNames(s.now, []string{"eth1", "eth0"})
	s.wait(6*time.Second, nil, "1m25s eth1", "1m30s eth0")
	s.a.setNames(s.now, []string{"eth1"})
	s.wait(5*time.Second, nil, "1m35s eth1")
	s.a.setNames(s.now, nil)
	s.wait(time.Minute, nil)

	s.a.random = func(time.Duration) time.Duration { return 0 }
	s.a.setNames(s.now, []string{"eth0"})
	s.wait(8*time.Second, nil, "2m36s eth0", "2m43.5s eth0")
}

func TestSolicitations(t *testing.T) {
	s := newScenario(t)
	s.known(up("eth0", 1), up("eth1", 2))
	s.a.setNames(s.now, []string{"eth0"})
	s.wait(time.Second, nil, "0s eth0")
	asked := func(epoch uint64, want bool) {
		t.Helper()
		if got := s.a.solicited(s.now, epoch); got != want {
			t.Errorf("%s: solicited = %v, want %v", s.now.Sub(s.start), got, want)
		}
	}
	// Soon after the last, several are answered at once.
	asked(1, true)
	asked(1, false)
	s.wait(time.Second, nil)
	asked(1, false)
	s.wait(6*time.Second, nil, "3.5s eth0")
	asked(1, true)
	s.wait(time.Second, nil, "8.5s eth0")
	// The next comes no later for it, and one that is due is no answer too many.
	s.wait(9*time.Second, nil)
	asked(1, false)
	asked(2, false)
	asked(0, false)
	s.wait(500*time.Millisecond, nil, "18.5s eth0")
}

// Whoever asks without end is not answered without end.
func TestFlood(t *testing.T) {
	s := newScenario(t)
	s.known(up("eth0", 1))
	s.a.setNames(s.now, []string{"eth0"})
	s.wait(0, nil, "0s eth0")
	answers := 0
	for range 60_000 { // one a millisecond
		s.a.solicited(s.now, 1)
		if len(s.a.take(s.now)) > 0 {
			answers++
			s.a.done(s.now, 1, nil)
		}
		s.now = s.now.Add(time.Millisecond)
	}
	if answers != 17 { // each 3.5 s
		t.Errorf("%d answers in a minute, want 17", answers)
	}
}

func TestLinks(t *testing.T) {
	s := newScenario(t)
	s.known()
	s.a.setNames(s.now, []string{"eth0"})
	s.wait(time.Minute, []string{"no router advertisements on eth0: no Ethernet interface has that name"})
	s.known(link.Interface{Name: "eth0"})
	s.wait(time.Minute, []string{"no router advertisements on eth0: it is down"})
	s.known(up("eth0", 1))
	s.wait(time.Second, nil, "2m0s eth0")
	// What changes of other interfaces is no news; that it came up again is, and so are its
	// addresses.
	s.known(up("eth0", 1), up("eth1", 2))
	s.wait(time.Second, nil)
	s.known(up("eth0", 3), up("eth1", 2))
	s.wait(time.Second, nil, "2m2s eth0")
	changed := up("eth0", 3)
	changed.Prefixes = []netip.Prefix{netip.MustParsePrefix("fe80::/64")}
	s.known(changed, up("eth1", 2))
	s.wait(6*time.Second, nil, "2m5s eth0")
	s.known(changed)
	s.wait(time.Second, nil)
	s.known(up("eth0", 3))
	s.wait(time.Second, nil, "2m10s eth0")
	s.known(up("eth1", 2))
	s.a.done(s.now, 3, nil) // too late
	s.wait(time.Minute, []string{"no router advertisements on eth0: no Ethernet interface has that name"})
}

func TestFaults(t *testing.T) {
	const none = "no router advertisements on eth0: it has no link-local address"
	s := newScenario(t)
	s.faults["eth0"] = errNoAddress
	s.known(up("eth0", 1))
	s.a.setNames(s.now, []string{"eth0"})
	// The kernel may still probe.
	s.wait(2900*time.Millisecond, nil)
	s.wait(200*time.Millisecond, []string{none})
	if s.a.solicited(s.now, 1) {
		t.Error("an answer is planned where there is none")
	}
	delete(s.faults, "eth0")
	// The address that comes is a change.
	s.known(up("eth0", 1))
	s.wait(time.Second, nil, "3.1s eth0")
	s.faults["eth0"] = errors.New("it rains")
	s.wait(10*time.Second, []string{"no router advertisements on eth0: it rains"})
	delete(s.faults, "eth0")
	s.wait(time.Second, nil, "15.1s eth0")
}
