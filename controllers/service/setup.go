package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

const (
	// workers write statuses at the same time; what they write the book decided
	// one after the other.
	workers = 8
	// reconcileTimeout ends a request that an API server left hanging.
	reconcileTimeout = 30 * time.Second
	// writeTimeout is less than what is between RenewDeadline and LeaseDuration, 5 s
	// in controller-runtime: whoever cannot renew its Lease has stopped to write
	// before another may take it.
	writeTimeout = 4 * time.Second
	minBackoff   = 5 * time.Millisecond
	maxBackoff   = 15 * time.Second
)

// Options are what the controller is told.
type Options struct {
	// Class says which Services are Herald's.
	Class loadbalancer.Class
	// Pools names the ConfigMap of the address pools.
	Pools types.NamespacedName
	// Metrics is where the controller's metrics are registered.
	Metrics prometheus.Registerer
}

// SetUp adds the controller to mgr, whose cache has been made with CacheOptions
// and whose election lets one replica at a time allocate. It returns a check
// that fails until this replica is ready: its cache is filled and, if it is
// elected, its book. The manager's /healthz fails once a reconciliation is stuck.
func SetUp(ctx context.Context, mgr ctrl.Manager, options Options) (healthz.Checker, error) {
	metrics, err := newMetrics(options.Metrics)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	waker := &waker{}
	book := newBook(metrics, waker.wake)
	events := reporter{mgr.GetEventRecorder(string(fieldOwner))}
	pools := &pools{
		cache:   mgr.GetClient(),
		name:    options.Pools,
		book:    book,
		faults:  faultReporter{reporter: events},
		metrics: metrics,
	}
	learner := &learner{
		live:  mgr.GetAPIReader(),
		class: options.Class,
		pools: pools,
		book:  book,
		done:  make(chan struct{}),
	}
	standings := newStandings(func() (standing, bool) { return learner.standing(ctx, mgr.GetClient()) })
	for _, collector := range []prometheus.Collector{newPoolUsage(learner.usage), standings} {
		if err := options.Metrics.Register(collector); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	reconciler := &reconciler{
		client:  mgr.GetClient(),
		live:    mgr.GetAPIReader(),
		class:   options.Class,
		book:    book,
		learner: learner,
		events:  events,
	}
	watchdog := newWatchdog(reconciler)
	err = errors.Join(
		mgr.Add(learner),
		addServices(mgr, watchdog, waker),
		addPools(mgr, pools),
		mgr.AddHealthzCheck("service", watchdog.check),
	)
	if err != nil {
		return nil, err
	}
	return ready(ctx, mgr, learner)
}

func addServices(mgr ctrl.Manager, reconciler reconcile.Reconciler, waker *waker) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("service").
		For(&corev1.Service{}).
		WatchesRawSource(waker).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			ReconciliationTimeout:   reconcileTimeout,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff),
		}).
		Complete(reconciler)
}

func addPools(mgr ctrl.Manager, pools *pools) error {
	request := []reconcile.Request{{NamespacedName: pools.name}}
	toPools := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request { return request })
	return ctrl.NewControllerManagedBy(mgr).
		Named("pools").
		For(&corev1.ConfigMap{}).
		Watches(&corev1.Node{}, toPools, builder.WithPredicates(nodeChanged())).
		WithOptions(controller.Options{ReconciliationTimeout: reconcileTimeout, NeedLeaderElection: new(false)}).
		Complete(pools)
}

// ready starts the informers on every replica, so that a new leader has its
// cache already, and returns the check.
func ready(ctx context.Context, mgr ctrl.Manager, learner *learner) (healthz.Checker, error) {
	var informers []cache.Informer
	for _, object := range []client.Object{&corev1.Service{}, &corev1.ConfigMap{}, &corev1.Node{}} {
		informer, err := mgr.GetCache().GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("watch %T: %w", object, err)
		}
		informers = append(informers, informer)
	}
	return func(*http.Request) error {
		for _, informer := range informers {
			if !informer.HasSynced() {
				return errors.New("the cache is not filled yet")
			}
		}
		select {
		case <-mgr.Elected():
		default:
			return nil // standing by
		}
		if !learner.learned() {
			return errors.New("elected, and still learning which addresses are held")
		}
		return nil
	}, nil
}
