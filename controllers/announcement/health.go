package announcement

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// stuckAfter is longer than any reconciliation takes, as its own time limit
// shows, also with the API server away.
const stuckAfter = 2 * reconcileTimeout

// watchdog is a reconciler that knows how long the one it wraps has been at it.
type watchdog struct {
	reconcile.TypedReconciler[netip.Addr]
	name  string
	since atomic.Pointer[time.Time]
}

// Reconcile implements reconcile.TypedReconciler.
func (w *watchdog) Reconcile(ctx context.Context, addr netip.Addr) (reconcile.Result, error) {
	start := time.Now()
	w.since.Store(&start)
	defer w.since.Store(nil)
	return w.TypedReconciler.Reconcile(ctx, addr)
}

// check is for /healthz: the loop turns.
func (w *watchdog) check(*http.Request) error {
	if since := w.since.Load(); since != nil && time.Since(*since) > stuckAfter {
		return fmt.Errorf("%s is stuck since %s", w.name, since.Format(time.RFC3339))
	}
	return nil
}

// is makes a check for /readyz.
func is(good func() bool, complaint string) func(*http.Request) error {
	return func(*http.Request) error {
		if !good() {
			return errors.New(complaint)
		}
		return nil
	}
}
