package service

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// stuckAfter is longer than any reconciliation takes, also with the API server
// away.
const stuckAfter = 2 * reconcileTimeout

// watchdog is a reconciler that knows how long the one it wraps has been at what.
type watchdog struct {
	reconcile.Reconciler
	mu    sync.Mutex
	since map[types.NamespacedName]time.Time
}

func newWatchdog(reconciler reconcile.Reconciler) *watchdog {
	return &watchdog{Reconciler: reconciler, since: make(map[types.NamespacedName]time.Time)}
}

// Reconcile implements reconcile.Reconciler.
func (w *watchdog) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	w.mu.Lock()
	w.since[req.NamespacedName] = time.Now()
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.since, req.NamespacedName)
		w.mu.Unlock()
	}()
	return w.Reconciler.Reconcile(ctx, req)
}

// check is for /healthz: the loop turns.
func (w *watchdog) check(*http.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()

	for key, since := range w.since {
		if time.Since(since) > stuckAfter {
			return fmt.Errorf("service %s is stuck since %s", key, since.Format(time.RFC3339))
		}
	}
	return nil
}
