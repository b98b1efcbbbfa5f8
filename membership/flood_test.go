package membership

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

// flood sends, 100,000 times a second if the machine is fast enough, what make
// returns, until the function that it returns is called.
func (s *stranger) flood(t testing.TB, next func(n uint64) []byte) (stop func() (sent uint64)) {
	t.Helper()
	var group sync.WaitGroup
	done, sent := make(chan struct{}), uint64(0)
	group.Go(func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		begin := time.Now()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			const perSecond = 100_000
			for range 2000 { // then somebody may want it to stop
				if sent >= uint64(perSecond*time.Since(begin).Seconds()) {
					break
				}
				sent++
				if err := datagram.Send(s.fd, next(sent), &s.to); err != nil && !errors.Is(err, unix.ENOBUFS) {
					t.Errorf("flood: %v", err)
					return
				}
			}
		}
	})
	return func() uint64 {
		close(done)
		group.Wait()
		return sent
	}
}

// A host on the segment floods it. Nobody is dead for that.
func TestFlood(t *testing.T) {
	const hostOfB = "192.0.2.1"
	floods := map[string]struct {
		keys  bool
		flood func(t *testing.T, s *stranger, b election.ID) func(n uint64) []byte
		spoof bool
	}{
		"of rubbish": {flood: func(_ *testing.T, _ *stranger, _ election.ID) func(uint64) []byte {
			rubbish := make([]byte, 1000)
			return func(uint64) []byte { return rubbish }
		}},
		"of new names": {flood: func(t *testing.T, s *stranger, _ election.ID) func(uint64) []byte {
			return func(n uint64) []byte {
				return s.heartbeat(t, election.ID{Node: "x" + string(rune('a'+n%26)) + string(rune('a'+n/26%26)) + string(rune('a'+n/676%26)), Incarnation: 1}, n)
			}
		}},
		"in the name of a member": {flood: func(t *testing.T, s *stranger, b election.ID) func(uint64) []byte {
			return func(n uint64) []byte { return s.heartbeat(t, b, 1<<20+n) }
		}},
		"in the name and with the address of a member": {spoof: true, flood: func(t *testing.T, s *stranger, b election.ID) func(uint64) []byte {
			return func(n uint64) []byte {
				return packet4(netip.MustParseAddr(hostOfB), s.heartbeat(t, b, 1<<20+n))
			}
		}},
		"in the name of a later run of a member": {spoof: true, flood: func(t *testing.T, s *stranger, b election.ID) func(uint64) []byte {
			b.Incarnation += 1000
			return func(n uint64) []byte {
				return packet4(netip.MustParseAddr(hostOfB), s.heartbeat(t, b, 1<<20+n))
			}
		}},
		"with another key": {keys: true, flood: func(t *testing.T, s *stranger, b election.ID) func(uint64) []byte {
			s.sealer = wire.NewSealer(wire.ClusterOf(""), key('x'))
			return func(n uint64) []byte { return s.heartbeat(t, b, 1<<20+n) }
		}},
		"with the key": {keys: true, flood: func(t *testing.T, s *stranger, b election.ID) func(uint64) []byte {
			s.sealer = wire.NewSealer(wire.ClusterOf(""), key('k'))
			return func(n uint64) []byte { return s.heartbeat(t, b, 1<<20+n) }
		}},
	}
	for name, test := range floods {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			o := Options{Node: "b"}
			if test.keys {
				o.KeyDirectory = keyDirectory(t, map[string][]byte{"current": key('k')})
			}
			b := run(t, n.host(t, v4), o)
			o.Node = "a"
			a := run(t, n.host(t, v4), o)
			a.waitJoined(t, "b")
			b.waitJoined(t, "a")
			var s *stranger
			if other := n.host(t, v4); test.spoof {
				s = newSpoofer(t, other, netip.MustParseAddr(hostOfB))
			} else {
				s = newStranger(t, other)
			}
			stop := s.flood(t, test.flood(t, s, b.ID()))
			during(t, 700*time.Millisecond)
			sent := stop()
			during(t, 200*time.Millisecond) // in which one that was locked out would be dead
			t.Logf("%d datagrams, %v suspensions", sent, a.sample("herald_local_health_suspensions_total", ""))
			for _, s := range []*station{a, b} {
				s.nobodyGone(t, "a", "b")
			}
		})
	}
}
