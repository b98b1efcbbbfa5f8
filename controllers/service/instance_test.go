package service_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/controllers/service"
)

// instance is one replica of the controller, as herald controller starts it. It
// sees only the world's namespace, so that tests can run at the same time.
type instance struct {
	*world
	registry *prometheus.Registry
	ready    healthz.Checker
	elected  <-chan struct{}

	mu       sync.Mutex
	versions map[string]string // of the Services whose reconciliation began, by name
	writes   []string          // names of the Services written
	onRead   func(*corev1.Service) error
	onWrite  func(ctx context.Context, name string, write func() error) error
	shutDown func()
}

// setting changes an instance before it starts.
type setting func(*instance, *ctrl.Options, *service.Options)

// elects makes replicas compete for a Lease in the world's namespace.
func elects(_ *instance, options *ctrl.Options, _ *service.Options) {
	options.LeaderElection = true
	options.LeaderElectionReleaseOnCancel = true
	options.LeaseDuration, options.RenewDeadline, options.RetryPeriod = new(6*time.Second), new(4*time.Second), new(200*time.Millisecond)
}

// byDefault makes Services without a class the controller's.
func byDefault(_ *instance, _ *ctrl.Options, options *service.Options) { options.Class.Default = true }

// writing intercepts the writes of statuses.
func writing(intercept func(ctx context.Context, name string, write func() error) error) setting {
	return func(i *instance, _ *ctrl.Options, _ *service.Options) { i.onWrite = intercept }
}

// reading intercepts what the controller reads from its cache.
func reading(intercept func(*corev1.Service) error) setting {
	return func(i *instance, _ *ctrl.Options, _ *service.Options) { i.onRead = intercept }
}

// serial intercepts the writes of statuses one at a time.
func serial(intercept func(name string, write func() error) error) setting {
	var mu sync.Mutex
	return writing(func(_ context.Context, name string, write func() error) error {
		mu.Lock()
		defer mu.Unlock()
		return intercept(name, write)
	})
}

// start starts an instance, which is stopped with the test if not before.
func (w *world) start(settings ...setting) *instance {
	w.Helper()
	i := &instance{world: w, registry: prometheus.NewRegistry(), versions: make(map[string]string)}
	options := ctrl.Options{
		Cache:                   service.CacheOptions(w.pools),
		NewClient:               i.client,
		LeaderElectionID:        "herald-controller",
		LeaderElectionNamespace: w.namespace,
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		Controller:              ctrlconfig.Controller{SkipNameValidation: new(true)},
	}
	options.Cache.DefaultNamespaces = map[string]cache.Config{w.namespace: {}}
	setUp := service.Options{
		Class:   loadbalancer.Class{Names: []string{w.class}},
		Pools:   w.pools,
		Metrics: i.registry,
	}
	for _, set := range settings {
		set(i, &options, &setUp)
	}
	config := rest.CopyConfig(w.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return ownNamespace{next, w.namespace} })
	mgr, err := ctrl.NewManager(config, options)
	if err != nil {
		w.Fatal(err)
	}
	i.elected = mgr.Elected()
	if i.ready, err = service.SetUp(w.Context(), mgr, setUp); err != nil {
		w.Fatal(err)
	}
	i.run(mgr)
	return i
}

// ownNamespace answers with a namespace's Services who asks for those of all: the
// other tests' are another cluster's.
type ownNamespace struct {
	http.RoundTripper
	namespace string
}

func (o ownNamespace) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Path == "/api/v1/services" {
		request = request.Clone(request.Context())
		request.URL.Path = "/api/v1/namespaces/" + o.namespace + "/services"
	}
	return o.RoundTripper.RoundTrip(request)
}

// run runs the manager until shutDown, which waits for it to end.
func (i *instance) run(mgr ctrl.Manager) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(i.Context()))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	i.shutDown = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			i.Errorf("the controller ended with: %v", err)
		}
	})
	i.Cleanup(i.shutDown)
}

// client is the manager's client, with an eye on what the controller does.
func (i *instance) client(config *rest.Config, options client.Options) (client.Client, error) {
	direct, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	return interceptor.NewClient(direct, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
			err := c.Get(ctx, key, object, options...)
			if svc, ok := object.(*corev1.Service); ok && err == nil {
				i.mu.Lock()
				defer i.mu.Unlock()
				i.versions[key.Name] = svc.ResourceVersion
				if i.onRead != nil {
					return i.onRead(svc)
				}
			}
			return err
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, subResource string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			write := func() error { return c.SubResource(subResource).Patch(ctx, object, patch, options...) }
			i.mu.Lock()
			i.writes = append(i.writes, object.GetName())
			onWrite := i.onWrite
			i.mu.Unlock()
			if onWrite != nil {
				return onWrite(ctx, object.GetName(), write)
			}
			return write()
		},
	}), nil
}

// finish waits until the instance has begun to reconcile the present version of
// every Service, and then stops it, which lets it finish them.
func (i *instance) finish() {
	i.Helper()
	for _, svc := range i.list() {
		i.until("reconcile "+svc.Name, func() (bool, error) {
			i.mu.Lock()
			defer i.mu.Unlock()
			return i.versions[svc.Name] == svc.ResourceVersion, nil
		})
	}
	i.shutDown()
}

// wrote returns the names of the Services written so far, in order.
func (i *instance) wrote() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.writes)
}

// metric returns the value of a metric, summed over its labels.
func (i *instance) metric(name string) float64 {
	i.Helper()
	families, err := i.registry.Gather()
	if err != nil {
		i.Fatal(err)
	}
	var sum float64
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
		return sum
	}
	i.Fatalf("no metric %s", name)
	return 0
}

var errInjected = errors.New("injected")

// gate holds goroutines up until it is opened, once.
type gate struct {
	opened chan struct{}
	once   sync.Once
}

func newGate() *gate { return &gate{opened: make(chan struct{})} }

// Open opens the gate, if it is not open yet.
func (g *gate) Open() { g.once.Do(func() { close(g.opened) }) }
