package controlplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/heraldlb/herald/e2e/bench/machine"
	"github.com/heraldlb/herald/e2e/lab"
	"github.com/heraldlb/herald/e2e/plane"
)

// Run is what a client saw of one fault.
type Run struct {
	System string `json:"system"`
	Fault  string `json:"fault"`
	Holder string `json:"holder"`
	// At is when it began.
	At time.Time `json:"at"`
	// Outage is the longest that a request had to wait for an answer, its own or one to
	// a later request.
	Outage time.Duration `json:"outage"`
	// Requests is how many were begun meanwhile; Failed had no answer, or a bad one.
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	// Errors are those of the first that failed.
	Errors []string `json:"errors,omitempty"`
	// Slowest is the longest that an answer took.
	Slowest time.Duration `json:"slowest"`
	// Load is the machine's average of the last minute.
	Load float64 `json:"load"`
	// Logs are those of Herald's processes, where the outage is longer than any may be.
	Logs map[string]string `json:"logs,omitempty"`
}

const (
	// interval is the time between two requests.
	interval = 10 * time.Millisecond
	// calm is for how long all has to be answered before a fault, and after it.
	calm = 300 * time.Millisecond
	// patience bounds one run.
	patience = 2 * time.Minute
	// shown is how many errors are kept of a run.
	shown = 5
)

// bench is a lab that is up.
type bench struct {
	*plane.Plane
	system system
	ask    []string // the command that asks
	logf   func(string, ...any)
}

// suffer inflicts a fault again and again.
func (b *bench) suffer(ctx context.Context, f fault) (runs []Run, err error) {
	for range f.count {
		run, err := b.once(ctx, f)
		if err != nil {
			return runs, fmt.Errorf("%s, %s, run %d: %w", b.system.name, f.name, len(runs)+1, err)
		}
		b.logf("%s, %s: %s, an outage of %s, %d of %d requests failed",
			b.system.name, f.name, run.Holder, run.Outage.Round(time.Millisecond), run.Failed, run.Requests)
		runs = append(runs, run)
	}
	return runs, nil
}

func (b *bench) once(ctx context.Context, f fault) (run Run, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	holder, err := b.well(ctx)
	if err != nil {
		return run, err
	}
	asker, err := plane.NewAsker(ctx, b.Host("client"), b.ask, b.URL(f.path), interval)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, asker.Stop()) }()
	since := time.Now()
	if b.system.shares {
		if err := asker.Servers(ctx, since, b.ControlPlanes()...); err != nil {
			return run, err
		}
		since = time.Now()
	}
	if _, _, err := asker.Window(ctx, since, since, calm); err != nil {
		return run, err
	}
	since = time.Now()
	run = Run{System: b.system.name, Fault: f.name, Holder: holder.Name, At: since}
	if err := f.harm(ctx, b.Plane, holder); err != nil {
		return run, err
	}
	if !f.gone && !f.stays {
		if _, err := b.Holder(ctx, holder.Name); err != nil {
			return run, err
		}
	}
	answers, end, err := asker.Window(ctx, since, time.Now(), calm)
	if err != nil {
		return run, err
	}
	run.note(answers, end)
	if run.Load, err = machine.Load(); err != nil {
		return run, err
	}
	if f.misses(run.Outage) {
		if run.Logs, err = b.logs(ctx); err != nil {
			return run, err
		}
	}
	return run, f.mend(ctx, b.Plane, holder)
}

func (r *Run) note(answers []plane.Answer, end time.Time) {
	failed := plane.Failed(answers)
	r.Outage, r.Slowest = plane.Outage(answers, end), plane.Slowest(answers)
	r.Requests, r.Failed = len(answers), len(failed)
	for _, answer := range failed[:min(shown, len(failed))] {
		r.Errors = append(r.Errors, answer.Error)
	}
}

// well waits until all is as it should be, and returns who holds the VIP.
func (b *bench) well(ctx context.Context) (lab.Host, error) {
	if err := b.Ready(ctx); err != nil {
		return lab.Host{}, err
	}
	return b.Holder(ctx, b.system.seconds...)
}
