package lease

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
)

// lock is a Lease that fills a seat with each write that succeeds, and is given back
// when the seat is free.
type lock struct {
	resourcelock.Interface
	seat controlplane.Seat
	log  *slog.Logger
}

// Create implements resourcelock.Interface.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(ctx, record, l.Interface.Create)
}

// Update implements resourcelock.Interface.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(ctx, record, l.Interface.Update)
}

func (l *lock) write(ctx context.Context, record resourcelock.LeaderElectionRecord, write func(context.Context, resourcelock.LeaderElectionRecord) error) error {
	if record.HolderIdentity != l.Identity() {
		l.seat.Release()
		if err := l.seat.Vacant(ctx); err != nil {
			return fmt.Errorf("the Lease is not given back before the VIP is off: %w", err)
		}
		return write(ctx, record)
	}
	sent, err := announcer.Now()
	if err != nil {
		return err
	}
	if err := write(ctx, record); err != nil {
		return err
	}
	l.seat.Hold(controlplane.Term{Until: sent.Add(term(record)), Probe: true})
	return nil
}

// term is how long nobody else can have a Lease that is renewed now: others wait for its
// duration from when they see that, which is later, by clocks of their own. Those may
// run faster by a twentieth.
func term(record resourcelock.LeaderElectionRecord) time.Duration {
	duration := time.Duration(record.LeaseDurationSeconds) * time.Second
	return duration - duration/20
}
