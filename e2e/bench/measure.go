package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

// defaultPace leaves the cluster time to come to rest between two Services:
// what is measured is one user, not a flood.
const defaultPace = 400 * time.Millisecond

type options struct {
	runs  int
	pace  time.Duration
	reuse bool
	json  string
}

// measure brings a cluster up, measures, takes it down, and prints.
func measure(ctx context.Context, options options, files []string, out io.Writer) (err error) {
	figures, err := readGoBenchmarks(files)
	if err != nil {
		return err
	}
	site, down, err := ground.Lab(ctx, options.reuse, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, down(context.WithoutCancel(ctx))) }()
	runs, err := expose(ctx, site, options, out)
	if err != nil {
		return err
	}
	figures = append(exposures(runs), figures...)
	if options.json != "" {
		if err := writeJSON(options.json, report{Figures: figures, Runs: runs}); err != nil {
			return err
		}
	}
	return writeTable(out, figures)
}

// run is what was measured of one Service, as times since its creation
// returned, in nanoseconds; 0 is never.
type run struct {
	Family corev1.IPFamily `json:"family"`
	// Status is when a watch showed the address.
	Status time.Duration `json:"status"`
	// Claimed is when a node's first frame said so on the segment.
	Claimed time.Duration `json:"claimed,omitempty"`
	// Reached is when a request was first answered.
	Reached time.Duration `json:"reached"`
	// First is when the one request was answered that was sent at Status.
	First time.Duration `json:"first,omitempty"`
}

// expose makes one Service after the other and tries each.
func expose(ctx context.Context, site ground.Ground, options options, out io.Writer) ([]run, error) {
	cluster, err := newCluster(ctx, site)
	if err != nil {
		return nil, err
	}
	defer cluster.close(context.WithoutCancel(ctx))
	ticker := time.NewTicker(options.pace)
	defer ticker.Stop()
	var runs []run
	for i := range options.runs {
		for _, family := range []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol} {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			run, err := cluster.exposeOnce(ctx, fmt.Sprintf("run-%d", i), family)
			if err != nil {
				return nil, fmt.Errorf("run %d, %s: %w", i, family, err)
			}
			runs = append(runs, run)
		}
		if (i+1)%25 == 0 {
			fmt.Fprintf(out, "%d of %d Services of each family\n", i+1, options.runs)
		}
	}
	return runs, nil
}
