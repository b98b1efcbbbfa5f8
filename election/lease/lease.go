// Package lease elects the holder of the control plane's VIP by a Lease of the API
// server, as kube-vip does: with the API server's word, and its delays.
package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/heraldlb/herald/controlplane"
)

// Options say which Lease, and how often it is renewed.
type Options struct {
	// Identity is this node's name.
	Identity string
	// Namespace and Name are the Lease's.
	Namespace, Name string
	// Duration is for how long nobody else takes a Lease that is not renewed, in
	// whole seconds.
	Duration time.Duration
	// RenewDeadline is after how long without success a holder gives up.
	RenewDeadline time.Duration
	// RetryPeriod is the time between two tries.
	RetryPeriod time.Duration
}

// The defaults are kube-vip's.
const (
	DefaultNamespace     = "kube-system"
	DefaultName          = "plndr-cp-lock"
	DefaultDuration      = 15 * time.Second
	DefaultRenewDeadline = 10 * time.Second
	DefaultRetryPeriod   = 2 * time.Second
)

// ErrInvalid is wrapped by errors about Options.
var ErrInvalid = errors.New("invalid")

// Check returns an error that wraps ErrInvalid unless an election can go by o.
func (o *Options) Check() error {
	switch {
	case o.Identity == "" || o.Namespace == "" || o.Name == "":
		return fmt.Errorf("%w: a Lease needs a namespace, a name and a holder: %q, %q, %q", ErrInvalid, o.Namespace, o.Name, o.Identity)
	case o.Duration < time.Second || o.Duration%time.Second != 0:
		return fmt.Errorf("%w: a lease duration of %s: whole seconds, as Lease counts", ErrInvalid, o.Duration)
	case o.Duration <= o.RenewDeadline:
		return fmt.Errorf("%w: a renew deadline of %s has to be shorter than the lease duration, %s", ErrInvalid, o.RenewDeadline, o.Duration)
	case o.RetryPeriod <= 0 || o.RenewDeadline <= time.Duration(leaderelection.JitterFactor*float64(o.RetryPeriod)):
		return fmt.Errorf("%w: a retry period of %s has to be shorter than the renew deadline, %s, by a factor of %.1f",
			ErrInvalid, o.RetryPeriod, o.RenewDeadline, leaderelection.JitterFactor)
	}
	return nil
}

// Elector is a controlplane.Elector.
type Elector struct {
	options Options
	leases  coordinationv1.LeasesGetter
	log     *slog.Logger
}

var _ controlplane.Elector = (*Elector)(nil)

// New returns an Elector that competes when run. The error wraps ErrInvalid.
func New(o Options, leases coordinationv1.LeasesGetter, log *slog.Logger) (*Elector, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	return &Elector{options: o, leases: leases, log: log.With("lease", o.Namespace+"/"+o.Name)}, nil
}

// Run implements controlplane.Elector. It competes while this node is ready; a term ends
// before anybody else can have the Lease. At the end, the VIP is off before the Lease is
// given back.
func (e *Elector) Run(ctx context.Context, ready <-chan bool, seat controlplane.Seat) error {
	var standing struct {
		stop context.CancelFunc
		done chan error
	}
	stand := func(is bool) error {
		switch {
		case is && standing.stop == nil:
			competing, stop := context.WithCancel(ctx)
			standing.stop, standing.done = stop, make(chan error, 1)
			go func() { standing.done <- e.compete(competing, seat) }()
		case !is && standing.stop != nil:
			standing.stop()
			err := <-standing.done
			standing.stop = nil
			return err
		}
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return stand(false)
		case is := <-ready:
			if err := stand(is); err != nil {
				return err
			}
		}
	}
}

// compete takes part in the election until ctx ends.
func (e *Elector) compete(ctx context.Context, seat controlplane.Seat) error {
	for ctx.Err() == nil {
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock:            &lock{Interface: e.lease(), seat: seat, log: e.log},
			LeaseDuration:   e.options.Duration,
			RenewDeadline:   e.options.RenewDeadline,
			RetryPeriod:     e.options.RetryPeriod,
			ReleaseOnCancel: true,
			Name:            e.options.Name,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { e.log.Info("elected") },
				OnStoppedLeading: func() { e.log.Info("no longer elected, or a candidate") },
				OnNewLeader:      func(holder string) { e.log.Info("the Lease has a holder", "holder", holder) },
			},
		})
		if err != nil {
			return fmt.Errorf("elect by a Lease: %w", err)
		}
		elector.Run(ctx)
		seat.Release()
	}
	return nil
}

func (e *Elector) lease() resourcelock.Interface {
	return &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: e.options.Namespace, Name: e.options.Name},
		Client:     e.leases,
		LockConfig: resourcelock.ResourceLockConfig{Identity: e.options.Identity},
	}
}
