package mass

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/suite/claim"
)

// Task is what a survey is to find out: when each address was first claimed by
// one of the stations, unasked or in answer to a request.
type Task struct {
	Interface string       `json:"interface"`
	Addresses []netip.Addr `json:"addresses"`
	// Stations are link-layer addresses.
	Stations []string `json:"stations"`
	// Patience is when it gives up.
	Patience time.Duration `json:"patience"`
}

// Found is what a survey found out.
type Found struct {
	// Ready is when it began to listen: that is told at once.
	Ready clock.Instant `json:"ready,omitempty"`
	// First is when each address that was claimed first was.
	First []clock.Instant `json:"first,omitempty"`
}

const (
	// pause is the time from one request to the next: each address is asked
	// for, in turn, until it is claimed.
	pause = 500 * time.Microsecond
	// buffer holds the answers and announcements of 10,000 addresses at once.
	buffer = 64 << 20
)

// Survey carries a task out, on a host.
func Survey(ctx context.Context, in io.Reader, out io.Writer) error {
	var task Task
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return err
	}
	listener, err := claim.Listen(task.Interface)
	if err != nil {
		return err
	}
	if err := listener.Buffer(buffer); err != nil {
		return errors.Join(err, listener.Close())
	}
	at, err := clock.Now()
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	if err := encoder.Encode(Found{Ready: at}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, task.Patience)
	defer cancel()
	s := newSurvey(task)
	var asking sync.WaitGroup
	failed := make(chan error, 1)
	asking.Go(func() { failed <- s.ask(ctx) })
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	s.listen(listener)
	cancel()
	asking.Wait()
	stop()
	return errors.Join(ignoreEnd(<-failed), encoder.Encode(Found{First: s.first}))
}

func ignoreEnd(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

type survey struct {
	task     Task
	stations map[string]bool

	mu      sync.Mutex
	waiting map[netip.Addr]bool
	first   []clock.Instant
}

func newSurvey(task Task) *survey {
	s := &survey{task: task, stations: map[string]bool{}, waiting: map[netip.Addr]bool{}}
	for _, station := range task.Stations {
		s.stations[station] = true
	}
	for _, address := range task.Addresses {
		s.waiting[address] = true
	}
	return s
}

// listen returns when all addresses were claimed, or the listener is closed.
func (s *survey) listen(listener *claim.Listener) {
	for {
		heard, err := listener.Next()
		if err != nil {
			return
		}
		if !s.stations[heard.MAC] {
			continue
		}
		at, err := clock.Now()
		if err != nil || s.note(heard.Address, at) {
			return
		}
	}
}

// note says whether that was the last one.
func (s *survey) note(address netip.Addr, at clock.Instant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[address] {
		delete(s.waiting, address)
		s.first = append(s.first, at)
	}
	return len(s.waiting) == 0
}

func (s *survey) waits(address netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting[address]
}

// ask asks for one address after the other until ctx ends.
func (s *survey) ask(ctx context.Context) error {
	requester, err := outage.NewRequester(s.task.Interface)
	if err != nil {
		return err
	}
	defer requester.Close() //nolint:errcheck // nothing is lost
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		for _, address := range s.task.Addresses {
			if !s.waits(address) {
				continue
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := requester.Request(address); err != nil {
				return fmt.Errorf("ask for %s: %w", address, err)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
