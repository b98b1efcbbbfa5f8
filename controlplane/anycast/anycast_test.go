package anycast

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraldlb/herald/controlplane"
)

// scene is a seat and routers that write down what is done with them, and when. Who sits
// down has the VIPs after a moment.
type scene struct {
	t     *testing.T
	began time.Time
	ready chan bool
	*Elector
	end  context.CancelFunc
	done chan error

	mu     sync.Mutex
	script []string
	seated bool
	// empty: there is nothing to have.
	empty bool
}

// settling is how long the kernel takes.
const settling = 10 * time.Millisecond

func vips() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("192.0.2.100"), netip.MustParseAddr("2001:db8::100")}
}

// start is to be called in a bubble.
func start(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, began: time.Now(), ready: make(chan bool, 1), done: make(chan error, 1)}
	ctx, end := context.WithCancel(t.Context())
	s.end = end
	s.Elector = New(s, slog.New(slog.NewTextHandler(t.Output(), nil)))
	go func() { s.done <- s.Run(ctx, s.ready, s) }()
	return s
}

func (s *scene) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, fmt.Sprintf("%s ", time.Since(s.began))+fmt.Sprintf(format, args...))
}

// Advertise implements Routers.
func (s *scene) Advertise(vips []netip.Addr) { s.note("advertise %v", vips) }

// Hold implements controlplane.Seat.
func (s *scene) Hold(term controlplane.Term) {
	s.mu.Lock()
	renewed := s.seated
	s.seated = true
	s.mu.Unlock()
	if term.Until == 0 {
		s.t.Error("a term without an end")
	}
	if renewed {
		return
	}
	s.note("hold")
	if !s.empty {
		time.AfterFunc(settling, func() { s.SetThere(vips()) })
	}
}

// Renew implements controlplane.Seat.
func (s *scene) Renew() { s.t.Error("nobody else has a term") }

// Release implements controlplane.Seat.
func (s *scene) Release() {
	s.mu.Lock()
	s.seated = false
	s.mu.Unlock()
	s.note("release")
	s.SetThere(nil)
}

// Vacant implements controlplane.Seat.
func (s *scene) Vacant(context.Context) error { return nil }

// after lets so much time pass, and then holds the script against what is wanted.
func (s *scene) after(d time.Duration, want ...string) {
	s.t.Helper()
	time.Sleep(d) //nolint:forbidigo // of a bubble
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.script, want) {
		s.t.Errorf("after %s: %q, want %q", time.Since(s.began), s.script, want)
	}
	s.script = nil
}

func (s *scene) stop(want ...string) {
	s.t.Helper()
	s.end()
	if err := <-s.done; err != nil {
		s.t.Error(err)
	}
	s.after(0, want...)
}

// The VIP is there before routers hear of it, and goes when they have had the time to hear
// that it does. At the end it is the same.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.after(time.Second) // nothing is known
		s.ready <- true
		s.after(time.Second, "1s hold", "1.01s advertise [192.0.2.100 2001:db8::100]")
		s.ready <- false
		s.after(2*time.Second, "2s advertise []", "3s release")
		s.ready <- true
		s.after(time.Second, "4s hold", "4.01s advertise [192.0.2.100 2001:db8::100]")
		// Of which one is taken off.
		s.SetThere(vips()[:1])
		s.after(time.Second, "5s advertise [192.0.2.100]")
		s.stop("6s advertise []", "7s release")
	})
}

// An API server that is ready again before the VIP goes has it go on.
func TestReadyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.ready <- true
		s.after(time.Second, "0s hold", "10ms advertise [192.0.2.100 2001:db8::100]")
		s.ready <- false
		s.after(Linger/2, "1s advertise []")
		s.ready <- true
		s.after(2*Linger, "1.5s advertise [192.0.2.100 2001:db8::100]")
		s.stop("3.5s advertise []", "4.5s release")
	})
}

// Where the last run of this process left the VIP, with an API server that is not ready,
// routers are told that nothing leads here, and the VIP goes.
func TestNotReadyAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.SetThere(vips())
		s.after(time.Second)
		s.ready <- false
		s.after(2*time.Second, "1s advertise []", "2s release")
		s.stop("3s release")
	})
}

// Routers that keep what another run told them are not kept waiting for long.
func TestNothingThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.empty = true
		s.ready <- true
		s.after(patience-time.Millisecond, "0s hold")
		s.after(time.Second, "5s advertise []")
		s.SetThere(vips())
		s.after(time.Second, "5.999s advertise [192.0.2.100 2001:db8::100]")
		s.stop("6.999s advertise []", "7.999s release")
	})
}
