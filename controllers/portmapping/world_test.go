package portmapping

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/upnp/upnptest"
	"github.com/heraldlb/herald/controllers/announcement"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// long bounds what a test waits for on a busy machine.
const long = time.Minute

// world is an API server, a home with a gateway, and the announcers' word on who owns
// what.
type world struct {
	*upnptest.Home
	t      *testing.T
	config *rest.Config
	api    client.WithWatch
	class  string

	mu     sync.Mutex
	owners map[netip.Addr]string
	agents []*agent
}

func newWorld(t *testing.T, config *rest.Config) *world {
	t.Helper()
	api, err := client.NewWithWatch(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		Home: upnptest.New(t), t: t, config: config, api: api,
		class: fmt.Sprintf("test.heraldlb.io/%d", time.Now().UnixNano()), owners: make(map[netip.Addr]string),
	}
}

// agent is one node's. It is the Owners of its port mapping.
type agent struct {
	*world
	node    string
	writes  atomic.Int64
	metrics *prometheus.Registry
	stop    func()

	notify func()
}

func (w *world) agent(node string) *agent {
	w.t.Helper()
	a := &agent{world: w, node: node, metrics: prometheus.NewRegistry()}
	w.mu.Lock()
	w.agents = append(w.agents, a)
	w.mu.Unlock()
	config := rest.CopyConfig(w.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				a.writes.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Logger:         logr.Discard(),
		Cache:          announcement.CacheOptions(types.NamespacedName{Namespace: "default", Name: "herald"}, types.NamespacedName{Namespace: "default", Name: "herald-bgp"}),
		MapperProvider: announcement.Mapper,
		Metrics:        metricsserver.Options{BindAddress: "0"},
		Controller:     ctrlconfig.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan struct{})
	err = SetUp(w.t.Context(), mgr, Options{
		Node: node, Class: loadbalancer.Class{Names: []string{w.class}},
		Owners: a, View: a.view, Metrics: a.metrics, Ended: ended,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	a.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
		<-ended
	})
	w.t.Cleanup(a.stop)
	return a
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// mapped tells whether the agent itself has had the gateway forward anything.
func (a *agent) mapped() bool {
	a.t.Helper()
	families, err := a.metrics.Gather()
	if err != nil {
		a.t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "herald_upnp_maps_total" })
	return i >= 0 && families[i].GetMetric()[0].GetCounter().GetValue() > 0
}

// Status implements Owners.
func (a *agent) Status(addr netip.Addr) (announcer.Status, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	owner, known := a.owners[addr]
	status := announcer.Status{Address: addr, State: announcer.Standby, Owner: owner}
	if owner == a.node {
		status.State = announcer.Announced
	}
	return status, known
}

// Connected implements Owners.
func (a *agent) Connected() bool { return true }

// Notify implements Owners.
func (a *agent) Notify(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notify = f
}

func (a *agent) view() (announcer.View, bool) { return announcer.View{Node: a.node}, true }

// own has a node own an address, as all announcers say.
func (w *world) own(addr, node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.owners[netip.MustParseAddr(addr)] = node
	for _, a := range w.agents {
		a.notify()
	}
}

// expose creates a Service with an address that asks for the gateway.
func (w *world) expose(name, addr string, ports ...corev1.ServicePort) *corev1.Service {
	w.t.Helper()
	if len(ports) == 0 {
		ports = []corev1.ServicePort{{Port: 80}}
	}
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: map[string]string{loadbalancer.AnnotationUPnP: "true"}},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: &w.class, Ports: ports},
	}
	if err := w.api.Create(w.t.Context(), svc); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := client.IgnoreNotFound(w.api.Delete(context.WithoutCancel(w.t.Context()), svc)); err != nil {
			w.t.Error(err)
		}
	})
	base := svc.DeepCopy()
	svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: addr, IPMode: new(corev1.LoadBalancerIPModeVIP)}}
	if err := w.api.Status().Patch(w.t.Context(), svc, client.MergeFrom(base)); err != nil {
		w.t.Fatal(err)
	}
	return svc
}

// awaitExternal waits until a Service's annotation says so.
func (w *world) awaitExternal(svc *corev1.Service, want string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), long)
	defer cancel()
	watch, err := w.api.Watch(ctx, &corev1.ServiceList{}, client.InNamespace(svc.Namespace), client.MatchingFields{metav1.ObjectNameField: svc.Name})
	if err != nil {
		w.t.Fatal(err)
	}
	defer watch.Stop()
	last := ""
	for event := range watch.ResultChan() {
		now, is := event.Object.(*corev1.Service)
		if !is {
			continue
		}
		if last = now.Annotations[loadbalancer.AnnotationUPnPExternal]; last == want {
			now.DeepCopyInto(svc)
			return
		}
	}
	w.t.Fatalf("waited in vain for %q; last was %q", want, last)
}

// awaitEvent waits for an event on a Service.
func (w *world) awaitEvent(svc *corev1.Service, reason, note string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), long)
	defer cancel()
	watch, err := w.api.Watch(ctx, &eventsv1.EventList{}, client.InNamespace(svc.Namespace))
	if err != nil {
		w.t.Fatal(err)
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		e, ok := event.Object.(*eventsv1.Event)
		if ok && e.Regarding.UID == svc.UID && e.Reason == reason && strings.Contains(e.Note, note) {
			return
		}
	}
	w.t.Fatalf("waited in vain for event %s %q", reason, note)
}

// awaitTable waits until the gateway's table is as ok wants it. Nobody tells of that.
func (w *world) awaitTable(ok func(string) bool) {
	w.t.Helper()
	table := ""
	for deadline := time.Now().Add(long); time.Now().Before(deadline); {
		if table = w.Table(w.t); ok(table) {
			return
		}
	}
	w.t.Fatalf("waited in vain; the gateway's table is\n%s", table)
}

func has(line string) func(string) bool {
	return func(table string) bool { return strings.Contains(table, line) }
}

func hasNot(line string) func(string) bool {
	return func(table string) bool { return !strings.Contains(table, line) }
}
