package outage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// command is a line that the asker is led by.
type command struct {
	// Begin forgets what was before; else the asker waits until it is steady.
	Begin bool `json:"begin,omitempty"`
	// Quiet is for how long all must have been answered. With 0 the asker waits
	// for nothing but the last answers.
	Quiet time.Duration `json:"quiet,omitempty"`
	// Patience is when it gives up waiting.
	Patience time.Duration `json:"patience,omitempty"`
}

// reply is the line that answers a command.
type reply struct {
	Results []Result `json:"results,omitempty"`
	// Error is why what was waited for did not come; Results are there.
	Error string `json:"error,omitempty"`
}

// look is how often the asker looks whether it is steady.
const look = 20 * time.Millisecond

var errUnsteady = errors.New("requests are lost still")

// asker asks one target, until ctx ends.
type asker interface {
	ask(ctx context.Context) error
}

// Run asks until in ends.
func Run(ctx context.Context, task Task, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	r := runner{task: task}
	for _, target := range task.Targets {
		record := &record{voices: map[string]Voice{}}
		r.records = append(r.records, record)
		a, err := newAsker(task, target, record)
		if err != nil {
			cancel()
			return errors.Join(fmt.Errorf("%s: %w", target, err), group.Wait())
		}
		group.Go(func() error { return a.ask(ctx) })
	}
	err := r.obey(ctx, json.NewDecoder(in), json.NewEncoder(out))
	cancel()
	return errors.Join(err, ignoreCancelled(group.Wait()))
}

func newAsker(task Task, target netip.AddrPort, record *record) (asker, error) {
	switch task.Kind {
	case Datagram:
		return &datagrams{target: target, record: record}, nil
	case Flows:
		return &flows{target: target, record: record}, nil
	case Connection:
		return &connections{target: target, record: record}, nil
	case Kept:
		return &kept{target: target, record: record}, nil
	case Neighbour:
		return newNeighbours(task.Interface, target.Addr(), record)
	default:
		return nil, fmt.Errorf("no way to ask by %q", task.Kind)
	}
}

func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

type runner struct {
	task    Task
	records []*record
}

func (r *runner) obey(ctx context.Context, in *json.Decoder, out *json.Encoder) error {
	for {
		var next command
		err := in.Decode(&next)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := out.Encode(r.do(ctx, next)); err != nil {
			return err
		}
	}
}

func (r *runner) do(ctx context.Context, next command) reply {
	if next.Begin {
		for _, record := range r.records {
			record.begin()
		}
		return reply{}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, next.Patience, errUnsteady)
	defer cancel()
	until, err := r.settle(ctx, next.Quiet)
	var answer reply
	if err != nil {
		answer.Error = err.Error()
	}
	for i, record := range r.records {
		result := record.result(until)
		result.Target = r.task.Targets[i]
		answer.Results = append(answer.Results, result)
	}
	return answer
}

// settle waits until all targets have answered everything for so long, and
// returns until when that is known.
func (r *runner) settle(ctx context.Context, quiet time.Duration) (clock.Instant, error) {
	asked, err := clock.Now()
	if err != nil {
		return 0, err
	}
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		at, err := clock.Now()
		if err != nil {
			return 0, err
		}
		until := at.Add(-r.grace())
		if from := until.Add(-quiet); from >= asked && r.steady(from, until) || quiet == 0 && until >= asked {
			return until, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return until, context.Cause(ctx)
		}
	}
}

// grace is how long the newest requests are not judged, for their answers may
// be under way.
func (r *runner) grace() time.Duration {
	if r.task.Kind == Connection || r.task.Kind == Kept {
		return patience
	}
	return 100 * time.Millisecond
}

func (r *runner) steady(from, until clock.Instant) bool {
	for _, record := range r.records {
		if !record.steady(from, until) {
			return false
		}
	}
	return true
}
