package announcement

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/nodesocket"
)

// cluster is what one test does to the API server that all of them share. Its
// Services are of a class of its own.
type cluster struct {
	t      *testing.T
	config *rest.Config
	api    client.WithWatch
	class  string
	pools  types.NamespacedName
	// segment is the one that all hosts are on.
	segment *segment
}

func newCluster(t *testing.T, config *rest.Config) *cluster {
	t.Helper()
	api, err := client.NewWithWatch(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	unique := fmt.Sprint(time.Now().UnixNano())
	return &cluster{
		t: t, config: config, api: api,
		class: "test.heraldlb.io/" + unique,
		pools: types.NamespacedName{Namespace: "default", Name: "pools-" + unique},

		segment: newSegment(),
	}
}

// secret names the one of BGP's passwords.
func (c *cluster) secret() types.NamespacedName {
	return types.NamespacedName{Namespace: c.pools.Namespace, Name: "herald-bgp"}
}

func (c *cluster) create(object client.Object) {
	c.t.Helper()
	if err := c.api.Create(c.t.Context(), object); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		ctx := context.WithoutCancel(c.t.Context())
		if err := client.IgnoreNotFound(c.api.Delete(ctx, object)); err != nil {
			c.t.Error(err)
		}
	})
}

// patch writes what f changes of object, but for its status.
func (c *cluster) patch(object client.Object, f func()) {
	c.t.Helper()
	base, ok := object.DeepCopyObject().(client.Object)
	f()
	if err := c.api.Patch(c.t.Context(), object, client.MergeFrom(base)); err != nil || !ok {
		c.t.Fatal(err)
	}
}

// patchStatus writes what f changes of the status of object.
func (c *cluster) patchStatus(object client.Object, f func()) {
	c.t.Helper()
	base, ok := object.DeepCopyObject().(client.Object)
	f()
	if err := c.api.Status().Patch(c.t.Context(), object, client.MergeFrom(base)); err != nil || !ok {
		c.t.Fatal(err)
	}
}

// node creates a Node that is ready.
func (c *cluster) node(name string) *corev1.Node {
	c.t.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	c.create(n)
	c.setReady(n, corev1.ConditionTrue)
	return n
}

func (c *cluster) setReady(n *corev1.Node, ready corev1.ConditionStatus) {
	c.t.Helper()
	c.patchStatus(n, func() {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready, Reason: "Test"}}
	})
}

// service creates a Service with these addresses in its status.
func (c *cluster) service(name string, addrs []netip.Addr, changes ...func(*corev1.Service)) *corev1.Service {
	c.t.Helper()
	policy := corev1.IPFamilyPolicyPreferDualStack
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: map[string]string{}},
		Spec: corev1.ServiceSpec{
			Type:              corev1.ServiceTypeLoadBalancer,
			LoadBalancerClass: &c.class,
			IPFamilyPolicy:    &policy,
			Ports:             []corev1.ServicePort{{Port: 80}},
			// Of 500 Services not each can have one.
			AllocateLoadBalancerNodePorts: new(false),
		},
	}
	for _, f := range changes {
		f(svc)
	}
	c.create(svc)
	c.assign(svc, addrs...)
	return svc
}

// assign is the controller's part.
func (c *cluster) assign(svc *corev1.Service, addrs ...netip.Addr) {
	c.t.Helper()
	c.patchStatus(svc, func() {
		svc.Status.LoadBalancer.Ingress = nil
		for _, addr := range addrs {
			ingress := corev1.LoadBalancerIngress{IP: addr.String(), IPMode: new(corev1.LoadBalancerIPModeVIP)}
			svc.Status.LoadBalancer.Ingress = append(svc.Status.LoadBalancer.Ingress, ingress)
		}
	})
}

func local(svc *corev1.Service) {
	svc.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
}

func annotate(name, value string) func(*corev1.Service) {
	return func(svc *corev1.Service) { svc.Annotations[name] = value }
}

// endpoints creates an EndpointSlice of svc.
func (c *cluster) endpoints(svc *corev1.Service, family discoveryv1.AddressType, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	c.t.Helper()
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: svc.Namespace, GenerateName: svc.Name + "-",
			Labels: map[string]string{discoveryv1.LabelServiceName: svc.Name},
		},
		AddressType: family,
		Endpoints:   endpoints,
	}
	c.create(slice)
	return slice
}

func ready(node string) discoveryv1.Endpoint { return endpointOn(node, true, true, false) }

func draining(node string) discoveryv1.Endpoint { return endpointOn(node, false, true, true) }

func endpointOn(node string, ready, serving, terminating bool) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses:  []string{"10.244.0.1"},
		NodeName:   &node,
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
	}
}

// configMap creates the ConfigMap of the pools.
func (c *cluster) configMap(data map[string]string) *corev1.ConfigMap {
	c.t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: c.pools.Namespace, Name: c.pools.Name}, Data: data}
	c.create(object)
	return object
}

// host is a node's two processes: an announcer that lasts as long as the test,
// and an agent that may be stopped and started.
type host struct {
	*wire
	c      *cluster
	name   string
	socket string
	// api is how the agent reaches the API server; writes counts what it writes, patches
	// what of that is to a status, tries how often it asks whether the API server is there.
	api                    *rest.Config
	writes, patches, tries atomic.Int64
	// health is where the agent's probes are served, an address of this machine
	// that no other process listens on.
	health   string
	registry *prometheus.Registry
	latest   LatestView
	// routers is the agent's BGP.
	routers *advertisement.Advertiser
	contact Contact
	stop    func()
	// stopAnnouncer ends the announcer before the test does.
	stopAnnouncer func()
}

// host starts an announcer and an agent for the node.
func (c *cluster) host(node string) *host {
	c.t.Helper()
	h := c.announcer(node)
	h.start()
	return h
}

// announcer starts an announcer alone.
func (c *cluster) announcer(node string) *host {
	c.t.Helper()
	h := &host{
		c: c, name: node, socket: filepath.Join(c.t.TempDir(), "announcer.sock"), api: rest.CopyConfig(c.config),
		health: fmt.Sprintf("127.%d.%d.%d:9644", 1+rand.IntN(250), rand.IntN(256), 1+rand.IntN(250)),
	}
	h.api.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				h.writes.Add(1)
				if strings.HasSuffix(r.URL.Path, "/status") {
					h.patches.Add(1)
				}
			}
			if r.URL.Path == "/readyz" {
				h.tries.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	server := nodesocket.NewServer(h.socket, slog.New(slog.DiscardHandler))
	h.wire = newWire(c.segment, node, server)
	stop := run(c.t, func(ctx context.Context) error {
		return server.Run(ctx, nodesocket.Backend{Sink: h.wire, Samples: h.samples, View: h.seen})
	})
	h.stopAnnouncer = func() {
		stop()
		h.leave(h.wire)
	}
	return h
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// start starts the agent, and waits until it has told its announcer all.
func (h *host) start() {
	h.c.t.Helper()
	h.mu.Lock()
	before := h.snapshots
	h.mu.Unlock()
	h.launch()
	h.await(h.c.t, "a snapshot", func() bool { return h.snapshots > before }, nil)
}

// launch starts the agent.
func (h *host) launch() {
	h.c.t.Helper()
	api := rest.CopyConfig(h.api)
	h.contact.Watch(api)
	mgr, err := ctrl.NewManager(api, ctrl.Options{
		Logger:                 logr.Discard(),
		Cache:                  CacheOptions(h.c.pools, h.c.secret()),
		MapperProvider:         Mapper,
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: h.health,
		// Several agents share this process.
		Controller: ctrlconfig.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		h.c.t.Fatal(err)
	}
	h.registry = prometheus.NewRegistry()
	h.routers = advertisement.New(advertisement.Options{
		Node: h.name, Secret: h.c.secret(), Metrics: h.registry, Log: slog.New(slog.DiscardHandler),
	})
	err = SetUp(h.c.t.Context(), mgr, Options{
		Node:    h.name,
		Pools:   h.c.pools,
		Class:   loadbalancer.Class{Names: []string{h.c.class}},
		Socket:  h.socket,
		Metrics: h.registry,
		View:    &h.latest,
		Contact: &h.contact,
		Routers: h.routers,
	})
	if err != nil {
		h.c.t.Fatal(err)
	}
	h.stop = run(h.c.t, mgr.Start)
}

// run runs f until the test ends, or until stop is called, which waits for it.
func run(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("it ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("it did not end")
		}
	}
	t.Cleanup(stop)
	return stop
}

// awaitService waits until the API server's Service is as ok wants it.
func (c *cluster) awaitService(svc *corev1.Service, what string, ok func(*corev1.Service) bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	watch, err := c.api.Watch(ctx, &corev1.ServiceList{}, client.InNamespace(svc.Namespace),
		client.MatchingFields{metav1.ObjectNameField: svc.Name})
	if err != nil {
		c.t.Fatal(err)
	}
	defer watch.Stop()
	var last any
	for event := range watch.ResultChan() {
		now, is := event.Object.(*corev1.Service)
		if is && ok(now) {
			now.DeepCopyInto(svc)
			return
		}
		last = event.Object
	}
	c.t.Fatalf("waited in vain for %s; last was %+v", what, last)
}
