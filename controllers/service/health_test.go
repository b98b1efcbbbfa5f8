package service

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, ended := make(chan struct{}), make(chan struct{})
		watchdog := newWatchdog(reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
			<-release
			return reconcile.Result{}, nil
		}))
		go func() {
			defer close(ended)
			if _, err := watchdog.Reconcile(t.Context(), reconcile.Request{}); err != nil {
				t.Error(err)
			}
		}()
		<-time.After(stuckAfter)
		if err := watchdog.check(nil); err != nil {
			t.Errorf("too early: %v", err)
		}
		<-time.After(time.Second)
		if watchdog.check(nil) == nil {
			t.Error("stuck, and healthy")
		}
		close(release)
		<-ended
		if err := watchdog.check(nil); err != nil {
			t.Errorf("goes on, and: %v", err)
		}
	})
}
