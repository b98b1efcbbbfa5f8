package controlplane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/bench/machine"
	"github.com/heraldlb/herald/e2e/lab"
	"github.com/heraldlb/herald/e2e/plane"
)

// Sequence is what came of the faults of a seed.
type Sequence struct {
	System string `json:"system"`
	Seed   uint64 `json:"seed"`
	// Steps are what happened when, since the beginning.
	Steps []Step `json:"steps"`
	// Spans are who had the VIPs when; none: nobody could tell.
	Spans []plane.Span `json:"spans"`
	// Together are the times that two had one at once. Dual are those that count: by
	// raft any, but for what a crash left; by heartbeats, since they could hear each other
	// again. HandOver are those by heartbeats that did not begin apart.
	Together []time.Duration `json:"together,omitempty"`
	Dual     []time.Duration `json:"dual,omitempty"`
	HandOver []time.Duration `json:"handOver,omitempty"`
	// Recovered is how long it took from the last mending until one held the VIP and
	// all API servers were ready, 0 if that did not come.
	Recovered time.Duration `json:"recovered"`
	Load      float64       `json:"load"`
	// Logs are those of Herald's processes, where two held the VIP that should not.
	Logs map[string]string `json:"logs,omitempty"`
}

// Step is something that happened.
type Step struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// victim is what befalls the hosts, in order, and what that excuses.
type victim struct {
	*bench
	hosts    []lab.Host
	sequence *Sequence
	ends     []end
	excuses  []excuse
	// since is when what is an excuse began, by host and what it is.
	since map[string]time.Time
}

// sequences inflicts random faults, by seeds that count up from first.
func (b *bench) sequences(ctx context.Context, first uint64, count int) (all []Sequence, err error) {
	for seed := first; seed < first+uint64(count); seed++ { //nolint:gosec // a few
		s, err := b.sequence(ctx, seed)
		all = append(all, s)
		b.logf("%s, sequence of seed %d: %d faults, two holders for %v, that count for %v, handing over for %v",
			b.system.name, seed, len(s.Steps), s.Together, s.Dual, s.HandOver)
		if err != nil {
			return all, fmt.Errorf("%s, sequence of seed %d: %w\n%s", b.system.name, seed, err, s.trace())
		}
		if slices.ContainsFunc(s.Dual, func(long time.Duration) bool { return long > b.system.dual }) {
			b.logf("%s", s.trace())
		}
	}
	return all, nil
}

func (b *bench) sequence(ctx context.Context, seed uint64) (s Sequence, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s = Sequence{System: b.system.name, Seed: seed}
	holder, err := b.well(ctx)
	if err != nil {
		return s, err
	}
	v := &victim{bench: b, hosts: []lab.Host{holder}, sequence: &s, since: make(map[string]time.Time)}
	for _, host := range b.ControlPlanes() {
		if host.Name != holder.Name {
			v.hosts = append(v.hosts, host)
		}
	}
	monitor, err := b.NewMonitor(ctx)
	if err != nil {
		return s, err
	}
	failed := v.suffer(ctx, newSequence(seed, b.components()))
	// Who had what is judged all the same where the faults had no good end.
	spans, err := monitor.Stop()
	if err != nil {
		return s, errors.Join(failed, err)
	}
	s.Spans = spans
	if s.Load, err = machine.Load(); err != nil {
		return s, errors.Join(failed, err)
	}
	for _, o := range plane.Overlaps(ended(spans, v.ends)) {
		s.Together = append(s.Together, o.Long)
	}
	s.HandOver, s.Dual = dual(ended(spans, v.ends), v.excuses)
	if b.system.dual == 0 {
		s.HandOver, s.Dual = nil, s.HandOver // nothing is excused
	}
	if slices.ContainsFunc(s.Dual, func(long time.Duration) bool { return long > b.system.dual }) {
		s.Logs, err = b.logs(context.WithoutCancel(ctx))
	}
	return s, errors.Join(failed, err)
}

// components are those that faults befall.
func (b *bench) components() []string {
	if b.system.dual > 0 {
		return []string{plane.APIServer, plane.Announcer}
	}
	return []string{plane.APIServer, plane.Announcer, plane.ControlPlane}
}

func (v *victim) suffer(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := wait(ctx, s.pause); err != nil {
			return err
		}
		if err := v.take(ctx, s); err != nil {
			return err
		}
	}
	mended := time.Now()
	// What ended by itself.
	for _, host := range v.hosts {
		if err := v.StartEnded(ctx, host); err != nil {
			return err
		}
	}
	if _, err := v.well(ctx); err != nil {
		return err
	}
	v.sequence.Recovered = time.Since(mended)
	return nil
}

// take has a step happen.
func (v *victim) take(ctx context.Context, s step) error {
	host := v.hosts[s.host]
	v.note(host, s)
	switch s.act {
	case crashes:
		v.end(host)
		return host.Crash(ctx)
	case boots:
		v.over(host, stopped)
		return host.Boot(ctx)
	case parted:
		v.excuse(host, parted)
		return v.Cut(ctx, host)
	case healed:
		defer v.over(host, parted)
		return v.Heal(ctx)
	case started:
		return v.start(ctx, host, s.component)
	default:
		return v.signal(ctx, host, s)
	}
}

func (v *victim) note(host lab.Host, s step) {
	v.sequence.Steps = append(v.sequence.Steps,
		Step{time.Now(), strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", host.Name, s.component, s.act)), " ")})
}

func (v *victim) signal(ctx context.Context, host lab.Host, s step) error {
	signals := map[act]syscall.Signal{
		killed: syscall.SIGKILL, stopped: syscall.SIGSTOP, continued: syscall.SIGCONT, leaves: syscall.SIGTERM,
	}
	if s.component == plane.Announcer {
		if s.act == stopped {
			v.excuse(host, stopped)
		}
		// By raft, it is the elector that says who holds the VIP.
		if s.act == killed && v.system.dual > 0 {
			v.end(host)
		}
	}
	running, _, err := v.Processes(ctx, host)
	if err != nil {
		return err
	}
	if !slices.Contains(running, s.component) {
		v.sequence.Steps = append(v.sequence.Steps, Step{time.Now(), host.Name + " " + s.component + " had ended by itself"})
		return nil
	}
	if s.component == plane.Announcer && s.act != stopped {
		defer v.over(host, stopped)
	}
	return host.Signal(ctx, s.component, signals[s.act])
}

// start starts a component that was told to end, or was killed.
func (v *victim) start(ctx context.Context, host lab.Host, component string) error {
	if err := v.Ended(ctx, host, component); err != nil {
		return err
	}
	return host.Start(ctx, component)
}

// excuse begins one.
func (v *victim) excuse(host lab.Host, of act) { v.since[host.Name+" "+string(of)] = time.Now() }

// over ends an excuse, if it began.
func (v *victim) over(host lab.Host, of act) {
	key := host.Name + " " + string(of)
	if from, is := v.since[key]; is && v.system.dual > 0 {
		v.excuses = append(v.excuses, excuse{host.Name, period{from, time.Now()}})
	}
	delete(v.since, key)
}

func (v *victim) end(host lab.Host) { v.ends = append(v.ends, end{host.Name, time.Now()}) }

// trace says what happened, in order.
func (s *Sequence) trace() string {
	var text strings.Builder
	if len(s.Steps) == 0 {
		return ""
	}
	begun := s.Steps[0].At
	for _, step := range s.Steps {
		fmt.Fprintf(&text, "%9.3f  %s\n", step.At.Sub(begun).Seconds(), step.What)
	}
	for _, span := range s.Spans {
		fmt.Fprintf(&text, "%9.3f to %9.3f  %s had %s\n", span.From.Sub(begun).Seconds(), span.To.Sub(begun).Seconds(), span.Host, span.VIP)
	}
	return text.String()
}

// logs are those of Herald's processes.
func (b *bench) logs(ctx context.Context) (map[string]string, error) {
	names, err := b.Logs(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for _, name := range names {
		if strings.HasPrefix(name, "cp") && strings.Contains(name, "/herald-") {
			text, err := b.Log(ctx, name)
			if err != nil {
				return nil, err
			}
			all[name] = string(text)
		}
	}
	return all, nil
}

// wait lets some time pass.
func wait(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
