package entrusted

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/nodesocket"
)

// stays is an announcer's side with Stay, which outlives the other.
type stays struct {
	*Elector
	*chair
	path string
	log  *slog.Logger
	// stop tells it to end, done when it has.
	stop context.CancelFunc
	done chan error
}

func newStays(t *testing.T) *stays {
	t.Helper()
	s := &stays{log: slog.New(slog.NewTextHandler(t.Output(), nil)), path: filepath.Join(t.TempDir(), "s.sock"), done: make(chan error, 1)}
	server := nodesocket.NewServer(s.path, s.log)
	s.Elector = NewElector(server, s.log)
	s.Stay = true
	s.chair = &chair{held: make(chan controlplane.Term, 8), released: make(chan struct{}, 1), off: make(chan struct{})}
	close(s.off)
	serving, end := context.WithCancel(context.WithoutCancel(t.Context()))
	standing, stop := context.WithCancel(serving)
	s.stop = stop
	served := make(chan error, 1)
	go func() { served <- server.Run(serving, nodesocket.Backend{Sink: s.Elector, Gone: s.Gone}) }()
	go func() { s.done <- s.Run(standing, nil, s.chair) }()
	t.Cleanup(func() {
		end()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s
}

// other runs the other side until end.
func (s *stays) other(t *testing.T) (seat *Seat, there <-chan []netip.Addr, end func()) {
	t.Helper()
	seat = NewSeat(s.path, s.log)
	seat.Keep = true
	told := make(chan []netip.Addr, 8)
	seat.Held = func(vips []netip.Addr) { told <- vips }
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- seat.Run(ctx) }()
	return seat, told, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func term(t *testing.T, long time.Duration) controlplane.Term {
	t.Helper()
	now, err := announcer.Now()
	if err != nil {
		t.Fatal(err)
	}
	return controlplane.Term{Until: now.Add(long)}
}

func await(t *testing.T, there <-chan []netip.Addr, want ...netip.Addr) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case got := <-there:
			if slices.Equal(got, want) {
				return
			}
		case <-timeout:
			t.Fatalf("waited for %v to be there", want)
		}
	}
}

// Who comes after an elector's process that died hears what is there, and whoever sits
// there is not asked to get up.
func TestKeep(t *testing.T) {
	s := newStays(t)
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	seat, there, end := s.other(t)
	seat.Hold(term(t, time.Hour))
	<-s.chair.held
	s.Held([]netip.Addr{v4})
	await(t, there, v4)
	s.Held([]netip.Addr{v4, v6})
	await(t, there, v4, v6)
	end()

	seat, there, end = s.other(t)
	await(t, there, v4, v6)
	want := term(t, 2*time.Hour)
	seat.Hold(want)
	for got := range s.chair.held {
		if got == want {
			break
		}
	}
	select {
	case <-s.released:
		t.Error("the seat was freed meanwhile")
	default:
	}
	s.Held([]netip.Addr{v6})
	await(t, there, v6)
	s.Held(nil)
	await(t, there)
	s.stop()
	end()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
}

// Told to end, the announcer's side waits for the other to withdraw.
func TestStay(t *testing.T) {
	s := newStays(t)
	seat, _, end := s.other(t)
	ready := make(chan bool, 1)
	ready <- true
	both := seat.Ready(t.Context(), ready)
	s.Place(netip.MustParseAddr("192.0.2.1"), "lo")
	for is := <-both; !is; is = <-both {
		t.Log("not connected yet")
	}
	seat.Hold(term(t, time.Hour))
	<-s.chair.held
	s.stop()
	if <-both { // it is told
		t.Error("still ready")
	}
	select {
	case <-s.released:
		t.Error("the seat was freed before the other said so")
	default:
	}
	seat.Release()
	<-s.released
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	if err := seat.Vacant(t.Context()); err != nil {
		t.Error(err)
	}
	end()
}
