// Package controlplane measures what a client of the control plane's VIP loses when its
// holder fails, by each elector, and by keepalived and HAProxy; and whether two hold it at
// once, whatever befalls them.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/heraldlb/herald/e2e/plane"
)

// Options say how much is measured.
type Options struct {
	// Ask is the arguments that have this program be plane.Ask.
	Ask []string
	// Runs is how often each fault is inflicted, 0 for the default of each.
	Runs int
	// Sequences is how many sequences of random faults are, by each elector for which
	// two holders are counted; their seeds count up from Seed.
	Sequences int
	Seed      uint64
	// Electors are those of Electors that are measured; none: all.
	Electors []string
}

// Result is what was measured.
type Result struct {
	Runs      []Run      `json:"runs"`
	Sequences []Sequence `json:"sequences"`
}

// Measure brings labs up, one after the other, and takes them down. One that fails keeps
// nothing else from being measured.
func Measure(ctx context.Context, options Options, out io.Writer) (result Result, err error) {
	program, err := os.Executable()
	if err != nil {
		return result, err
	}
	for _, s := range systems(options) {
		b := &bench{system: s, ask: append([]string{program}, options.Ask...), logf: func(format string, args ...any) {
			_, _ = fmt.Fprintf(out, format+"\n", args...)
		}}
		err = errors.Join(err, b.measure(ctx, options, &result, out))
		if ctx.Err() != nil {
			break
		}
	}
	return result, err
}

func (b *bench) measure(ctx context.Context, options Options, result *Result, out io.Writer) (err error) {
	b.logf("control plane: %s", b.system.name)
	if b.Plane, err = plane.Up(ctx, b.system.parameters, out); err != nil {
		return fmt.Errorf("%s: %w", b.system.name, err)
	}
	defer func() { err = errors.Join(err, b.Down(context.WithoutCancel(ctx))) }()
	for _, f := range b.system.faults {
		runs, failed := b.suffer(ctx, f)
		result.Runs = append(result.Runs, runs...)
		if failed != nil {
			b.logf("%v", failed)
			return failed
		}
	}
	if !b.system.sequences {
		return nil
	}
	sequences, err := b.sequences(ctx, options.Seed, options.Sequences)
	result.Sequences = append(result.Sequences, sequences...)
	if err != nil {
		b.logf("%v", err)
	}
	return err
}
