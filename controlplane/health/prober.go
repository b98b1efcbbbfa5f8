// Package health finds out if an API server is ready: it asks for /readyz, as
// kubelets and load balancers do.
package health

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"
)

// soon is when a server is asked again whose connections break, or are refused:
// it was killed, and waiting tells nothing more.
const soon = 100 * time.Millisecond

// Prober probes one API server.
type Prober struct {
	options Options
	log     *slog.Logger
	ready   chan bool
	alive   chan bool
	// probe asks once; broken tells that the connection of the last success broke.
	probe  func(context.Context) error
	broken chan struct{}
}

// New makes a prober that logs what changes. The error names the option that is
// wrong.
func New(options Options, log *slog.Logger) (*Prober, error) {
	o, err := options.complete()
	if err != nil {
		return nil, err
	}
	return &Prober{
		options: o, log: log.With("url", o.URL),
		ready: make(chan bool, 1), alive: make(chan bool, 1), broken: make(chan struct{}, 1),
	}, nil
}

// Ready has the newest word that was not yet received: if the server is ready.
// There is none until the first success, or enough failures.
func (p *Prober) Ready() <-chan bool { return p.ready }

// Alive has the newest word that was not yet received: if the server answers at
// all. One that says it is not ready is alive, and may end what it began; one that
// is silent, or refuses connections, is not.
func (p *Prober) Alive() <-chan bool { return p.alive }

// Run probes until ctx ends, then returns nil.
func (p *Prober) Run(ctx context.Context) error {
	probe := p.probe
	if probe == nil {
		asker := &asker{options: p.options, broken: p.broken}
		defer asker.close()
		probe = asker.ask
	}
	ready := hysteresis{failures: p.options.Failures, successes: p.options.Successes}
	alive := ready
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		started := time.Now()
		err := probe(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if ready.observe(err == nil) {
			tell(p.ready, ready.ready)
			p.report(ctx, ready.ready, err)
		} else if err != nil {
			p.log.DebugContext(ctx, "The API server failed a probe", "error", err)
		}
		_, silent := errors.AsType[*silence](err)
		if alive.observe(!silent) {
			tell(p.alive, alive.ready)
		}
		wait := p.options.Period
		if (ready.doubtful() || alive.doubtful()) && hasty(err) {
			wait = min(wait, soon)
		}
		timer.Reset(time.Until(started.Add(wait)))
		if !p.pause(ctx, timer, started) {
			return nil
		}
	}
}

// pause waits until it is time for the next probe; false: ctx ended.
func (p *Prober) pause(ctx context.Context, timer *time.Timer, started time.Time) bool {
	broken := p.broken
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case <-broken:
			// A server may close each connection on its own.
			broken = nil
			timer.Reset(min(time.Until(started.Add(soon)), time.Until(started.Add(p.options.Period))))
		}
	}
}

// tell replaces the word that nobody received yet.
func tell(words chan bool, word bool) {
	select {
	case <-words:
	default:
	}
	words <- word
}

func (p *Prober) report(ctx context.Context, ready bool, why error) {
	if ready {
		p.log.InfoContext(ctx, "The API server is ready")
	} else {
		p.log.WarnContext(ctx, "The API server is not ready", "error", why)
	}
}

// hasty: the probe failed as those of a process do that is no more.
func hasty(err error) bool {
	return errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, unix.EPIPE)
}
