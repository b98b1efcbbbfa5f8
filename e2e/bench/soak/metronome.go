package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

const (
	// beat is the metronome's period.
	beat = 5 * time.Millisecond
	// late is what is noted.
	late = 10 * time.Millisecond
)

// Stall is a time for which not even a real-time thread of the highest priority
// was run: the machine itself stood still.
type Stall struct {
	Processor int           `json:"processor"`
	At        clock.Instant `json:"at"`
	Length    time.Duration `json:"length"`
}

// Metronome notes the stalls of each processor until in ends.
func Metronome(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	stalls := []Stall{}
	for processor := range runtime.NumCPU() {
		group.Go(func() {
			found, err := beats(ctx, processor)
			mu.Lock()
			defer mu.Unlock()
			stalls, failed = append(stalls, found...), errors.Join(failed, err)
		})
	}
	group.Wait()
	return errors.Join(failed, json.NewEncoder(out).Encode(stalls))
}

// beats wakes up again and again on one processor.
func beats(ctx context.Context, processor int) ([]Stall, error) {
	runtime.LockOSThread() // not unlocked: the thread ends
	var set unix.CPUSet
	set.Set(processor)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("processor %d: %w", processor, err)
	}
	if err := realTime(); err != nil {
		return nil, fmt.Errorf("real-time priority: %w", err) // a thread that waits its turn tells nothing
	}
	var stalls []Stall
	wait := unix.NsecToTimespec(int64(beat))
	before, err := clock.Now()
	for err == nil && ctx.Err() == nil {
		if err = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &wait, nil); errors.Is(err, unix.EINTR) {
			err = nil // a signal to the Go runtime
		}
		now, failed := clock.Now()
		err = errors.Join(err, failed)
		if length := now.Since(before) - beat; length > late {
			stalls = append(stalls, Stall{processor, now, length})
		}
		before = now
	}
	return stalls, err
}
