package announcement

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := &watchdog{name: "test", TypedReconciler: reconcile.TypedFunc[netip.Addr](
			func(context.Context, netip.Addr) (reconcile.Result, error) {
				<-release
				return reconcile.Result{}, nil
			})}
		healthy := func(want bool) {
			t.Helper()
			if err := w.check(nil); (err == nil) != want {
				t.Errorf("check says %v, want healthy %v", err, want)
			}
		}
		healthy(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = w.Reconcile(t.Context(), netip.Addr{})
		}()
		<-time.After(stuckAfter)
		healthy(true)
		<-time.After(time.Second)
		healthy(false)
		close(release)
		<-done
		healthy(true)
	})
}
