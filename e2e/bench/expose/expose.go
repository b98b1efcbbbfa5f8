// Package expose measures how long it takes from a Service's creation to the
// first answer that a client on the segment gets from its address.
package expose

import (
	"context"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

// DefaultPace leaves the cluster time to come to rest between two Services:
// what is measured is one user, not a flood.
const DefaultPace = 400 * time.Millisecond

// Run is what was measured of one Service, as times since its creation
// returned, in nanoseconds; 0 is never.
type Run struct {
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

// Measure makes one Service after the other, count of each family, and tries
// each.
func Measure(ctx context.Context, site ground.Ground, count int, pace time.Duration, out io.Writer) ([]Run, error) {
	cluster, err := newCluster(ctx, site)
	if err != nil {
		return nil, err
	}
	defer cluster.close(context.WithoutCancel(ctx))
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	var runs []Run
	for i := range count {
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
			fmt.Fprintf(out, "%d of %d Services of each family\n", i+1, count)
		}
	}
	return runs, nil
}
