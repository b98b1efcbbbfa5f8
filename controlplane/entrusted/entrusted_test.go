package entrusted

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/nodesocket"
)

// chair is a seat that says what is done with it.
type chair struct {
	held     chan controlplane.Term
	released chan struct{}
	// off is closed when the VIP is off.
	off chan struct{}
	// mu is held while Hold is to hang.
	mu sync.Mutex
}

func (c *chair) Hold(t controlplane.Term) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held <- t
}

func (c *chair) Renew() {}

func (c *chair) Release() {
	select {
	case c.released <- struct{}{}:
	default:
	}
}

func (c *chair) Vacant(ctx context.Context) error {
	select {
	case <-c.off:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// said is what was logged.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(line)
}

func (s *said) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), text)
}

// pair is both sides, over a real socket.
func pair(t *testing.T) (*Seat, *chair) {
	t.Helper()
	seat, c, _ := logged(t)
	return seat, c
}

// logged is a pair, and what its seat logs.
func logged(t *testing.T) (*Seat, *chair, *said) {
	t.Helper()
	var logs said
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	path := filepath.Join(t.TempDir(), "s.sock")
	server := nodesocket.NewServer(path, log)
	elector := NewElector(server, log)
	seat := NewSeat(path, slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), &logs), nil)))
	c := &chair{held: make(chan controlplane.Term, 8), released: make(chan struct{}, 1), off: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 3)
	go func() { done <- server.Run(ctx, nodesocket.Backend{Sink: elector}) }()
	go func() { done <- elector.Run(ctx, nil, c) }()
	go func() { done <- seat.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return seat, c, &logs
}

// What is said to one side is done on the other; who releases learns when the VIP is off.
func TestHoldAndRelease(t *testing.T) {
	seat, c := pair(t)
	now, err := announcer.Now()
	if err != nil {
		t.Fatal(err)
	}
	if err := seat.Vacant(t.Context()); err != nil {
		t.Errorf("a seat that nobody took is not vacant: %v", err)
	}
	want := controlplane.Term{Until: now.Add(time.Hour), Probe: true}
	seat.Hold(want)
	if got := <-c.held; got != want {
		t.Errorf("held for %+v, want %+v", got, want)
	}
	before := want
	want.Until = now.Add(2 * time.Hour)
	seat.Hold(want)
	got := <-c.held
	for got == before { // A word may be said twice.
		got = <-c.held
	}
	if got != want {
		t.Errorf("held for %+v, want %+v", got, want)
	}
	seat.Release()
	<-c.released
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := seat.Vacant(short); err == nil {
		t.Error("vacant before the VIP is off")
	}
	close(c.off)
	if err := seat.Vacant(t.Context()); err != nil {
		t.Error(err)
	}
}

// Both processes of a Pod are told to end at once. Where the announcer's hears of it
// first, the elector's still learns that the VIP is off, long before its term ends.
func TestLeaveTogether(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	path := filepath.Join(t.TempDir(), "s.sock")
	server := nodesocket.NewServer(path, log)
	elector := NewElector(server, log)
	seat := NewSeat(path, log)
	c := &chair{held: make(chan controlplane.Term, 8), released: make(chan struct{}, 1), off: make(chan struct{})}
	serving, end := context.WithCancel(t.Context())
	defer end()
	asking, leave := context.WithCancel(t.Context())
	defer leave()
	standing, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 3)
	go func() { done <- server.Run(serving, nodesocket.Backend{Sink: elector, Gone: elector.Gone}) }()
	go func() { done <- elector.Run(standing, nil, c); end() }()
	go func() { done <- seat.Run(asking) }()

	now, err := announcer.Now()
	if err != nil {
		t.Fatal(err)
	}
	seat.Hold(controlplane.Term{Until: now.Add(time.Hour)})
	<-c.held
	stop()
	<-c.released
	close(c.off)
	seat.Release()
	short, cancel := context.WithTimeout(t.Context(), leaveBound)
	defer cancel()
	if err := seat.Vacant(short); err != nil {
		t.Error(err)
	}
	left := time.Now()
	leave()
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(left); took > leaveBound/2 {
		t.Errorf("the announcer's side ended %s after the elector's", took)
	}
}

// Without an announcer, the seat is vacant when the term ends.
func TestVacantAtTheEnd(t *testing.T) {
	seat := NewSeat(filepath.Join(t.TempDir(), "nobody.sock"), slog.New(slog.DiscardHandler))
	now, err := announcer.Now()
	if err != nil {
		t.Fatal(err)
	}
	until := now.Add(100 * time.Millisecond)
	seat.Hold(controlplane.Term{Until: until})
	seat.Release()
	if err := seat.Vacant(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now, _ := announcer.Now(); now < until {
		t.Errorf("vacant %s before the term ended", until.Sub(now))
	}
}

// An announcer that hangs while it is to hold the VIP is noticed long before its socket
// counts as silent; one that was told nothing may sleep.
func TestReadyWhileTheAnnouncerHangs(t *testing.T) {
	seat, c, logs := logged(t)
	close(c.off)
	server := make(chan bool, 1)
	ready := seat.Ready(t.Context(), server)
	server <- true
	is := <-ready
	for !is {
		is = <-ready
	}
	now, err := announcer.Now()
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock() // It hangs in the middle of its work.
	start := time.Now()
	seat.Hold(controlplane.Term{Until: now.Add(time.Hour)})
	if <-ready {
		t.Fatal("ready, and was before")
	}
	if took := time.Since(start); took < hung || took > 3*hung {
		t.Errorf("noticed after %s, want %s and a look", took, hung)
	}
	if count := logs.count("whether the announcer does what it is told"); count != 1 {
		t.Errorf("said %d times", count)
	}
	seat.Release()
	c.mu.Unlock()
	if !<-ready {
		t.Error("the announcer goes on, and is not ready")
	}
}

// Who has no announcer is not ready, whatever its API server is.
func TestReady(t *testing.T) {
	seat, _ := pair(t)
	server := make(chan bool, 1)
	ready := seat.Ready(t.Context(), server)
	server <- true
	is := <-ready
	for !is { // The connection may come later.
		is = <-ready
	}
	server <- false
	if <-ready {
		t.Error("ready, and the API server is not")
	}
	alone := NewSeat(filepath.Join(t.TempDir(), "nobody.sock"), slog.New(slog.DiscardHandler))
	another := make(chan bool, 1)
	another <- true
	if <-alone.Ready(t.Context(), another) {
		t.Error("ready, and no announcer is there")
	}
}

// Who has no interface for the VIP is not ready, whatever its API server is.
func TestPlace(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	path := filepath.Join(t.TempDir(), "s.sock")
	server := nodesocket.NewServer(path, log)
	elector, seat := NewElector(server, log), NewSeat(path, log)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 2)
	elector.Place(netip.Addr{}, "")
	go func() { done <- server.Run(ctx, nodesocket.Backend{Sink: elector}) }()
	go func() { done <- seat.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	apiServer := make(chan bool, 1)
	ready := seat.Ready(ctx, apiServer)
	apiServer <- true
	expect := func(want bool) {
		t.Helper()
		timeout := time.After(10 * time.Second)
		for {
			select {
			case is := <-ready:
				if is == want {
					return
				}
			case <-timeout:
				t.Fatalf("waited for ready to be %v", want)
			}
		}
	}
	expect(false)
	elector.Place(netip.Addr{}, "eth0")
	expect(true)
	elector.Place(netip.Addr{}, "")
	expect(false)
}
