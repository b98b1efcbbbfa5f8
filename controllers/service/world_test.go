package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// patience is how long a test waits for what has to come. Nothing is measured
// by it; it is long for the sake of loaded machines.
const patience = 60 * time.Second

// world is what one test has to itself on the shared API server: a namespace, a
// load balancer class, and a ConfigMap of pools.
type world struct {
	*testing.T
	config    *rest.Config
	api       client.WithWatch
	namespace string
	class     string
	pools     types.NamespacedName
}

func newWorld(t *testing.T, config *rest.Config) *world {
	t.Helper()
	api, err := client.NewWithWatch(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := api.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return &world{
		T:         t,
		config:    config,
		api:       api,
		namespace: namespace.Name,
		class:     "heraldlb.io/" + namespace.Name,
		pools:     types.NamespacedName{Namespace: namespace.Name, Name: "herald"},
	}
}

// setPools creates the ConfigMap, or replaces its data.
func (w *world) setPools(data map[string]string) {
	w.Helper()
	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.pools.Namespace, Name: w.pools.Name}, Data: data}
	err := w.api.Update(w.Context(), configMap)
	if client.IgnoreNotFound(err) == nil && err != nil {
		err = w.api.Create(w.Context(), configMap)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// service returns a Service of this world's class, without node ports: there
// are fewer of them than Services in some tests.
func (w *world) service(name string, options ...option) *corev1.Service {
	no := false
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Type:                          corev1.ServiceTypeLoadBalancer,
			LoadBalancerClass:             &w.class,
			AllocateLoadBalancerNodePorts: &no,
			Selector:                      map[string]string{"app": name},
			Ports:                         []corev1.ServicePort{{Port: 80}},
		},
	}
	for _, option := range options {
		option(svc)
	}
	return svc
}

func (w *world) create(name string, options ...option) *corev1.Service {
	w.Helper()
	svc := w.service(name, options...)
	if err := w.api.Create(w.Context(), svc); err != nil {
		w.Fatal(err)
	}
	return svc
}

// change updates a Service, again if someone else did meanwhile.
func (w *world) change(name string, options ...option) {
	w.Helper()
	w.until("change "+name, func() (bool, error) {
		svc := w.get(name)
		for _, option := range options {
			option(svc)
		}
		err := w.api.Update(w.Context(), svc)
		return err == nil, ignoreConflict(err)
	})
}

// writeStatus does to a Service's status what another controller would.
func (w *world) writeStatus(name string, change option) {
	w.Helper()
	w.until("write the status of "+name, func() (bool, error) {
		svc := w.get(name)
		change(svc)
		err := w.api.Status().Update(w.Context(), svc)
		return err == nil, ignoreConflict(err)
	})
}

func (w *world) delete(name string) {
	w.Helper()
	if err := w.api.Delete(w.Context(), w.service(name)); err != nil {
		w.Fatal(err)
	}
}

func (w *world) get(name string) *corev1.Service {
	w.Helper()
	svc := &corev1.Service{}
	if err := w.api.Get(w.Context(), types.NamespacedName{Namespace: w.namespace, Name: name}, svc); err != nil {
		w.Fatal(err)
	}
	return svc
}

// is watches a Service until all of it holds, and returns it.
func (w *world) is(name string, all ...expectation) *corev1.Service {
	w.Helper()
	var unmet string
	svc, err := watchFor(w, &corev1.ServiceList{}, name, func(svc *corev1.Service, exists bool) bool {
		if !exists {
			return false
		}
		unmet = ""
		for _, expected := range all {
			if !expected.holds(svc) {
				unmet = expected.name
				return false
			}
		}
		return true
	})
	if err != nil {
		w.Fatalf("Service %s: %v; want %s: status %+v finalizers %v", name, err, unmet, svc.Status, svc.Finalizers)
	}
	return svc
}

// gone watches until a Service is deleted.
func (w *world) gone(name string) {
	w.Helper()
	last, err := watchFor(w, &corev1.ServiceList{}, name, func(_ *corev1.Service, exists bool) bool { return !exists })
	if err != nil {
		w.Fatalf("Service %s is still there: %v: finalizers %v", name, err, last.Finalizers)
	}
}

// told watches until an event of this reason, whose note contains text, is there
// for an object, and returns it.
func (w *world) told(object, reason, text string) *eventsv1.Event {
	w.Helper()
	event, err := watchFor(w, &eventsv1.EventList{}, "", func(event *eventsv1.Event, exists bool) bool {
		return exists && event.Regarding.Name == object && event.Reason == reason && strings.Contains(event.Note, text)
	})
	if err != nil {
		w.Fatalf("%s: no event %s with %q: %v; events: %q", object, reason, text, err, w.events(object))
	}
	return event
}

// events returns the reasons of an object's events.
func (w *world) events(object string) []string {
	w.Helper()
	var all eventsv1.EventList
	if err := w.api.List(w.Context(), &all, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	var reasons []string
	for _, event := range all.Items {
		if event.Regarding.Name == object {
			reasons = append(reasons, event.Reason)
		}
	}
	return reasons
}

// until polls what gives no event.
func (w *world) until(what string, done func() (bool, error)) {
	w.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil {
			w.Fatalf("%s: %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-deadline:
			w.Fatalf("%s: not within %v", what, patience)
		case <-tick.C:
		}
	}
}

// watchFor lists and then watches the objects of a kind, by name unless it is "",
// until found says so. It returns the last object seen with an error.
func watchFor[T client.Object](w *world, kind client.ObjectList, name string, found func(object T, exists bool) bool) (last T, err error) {
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	options := []client.ListOption{client.InNamespace(w.namespace)}
	if name != "" {
		options = append(options, client.MatchingFields{metav1.ObjectNameField: name})
	}
	if err := w.api.List(ctx, kind, options...); err != nil {
		return last, err
	}
	if meta.LenList(kind) == 0 && found(last, false) {
		return last, nil
	}
	var done bool
	err = meta.EachListItem(kind, func(object runtime.Object) error {
		if !done {
			last, _ = object.(T)
			done = found(last, true)
		}
		return nil
	})
	if err != nil || done {
		return last, err
	}
	watcher, err := w.api.Watch(ctx, kind, append(options, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: kind.GetResourceVersion()}})...)
	if err != nil {
		return last, err
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		object, ok := event.Object.(T)
		if !ok {
			return last, fmt.Errorf("the watch broke: %v", event.Object)
		}
		last = object
		if found(object, event.Type != watch.Deleted) {
			return object, nil
		}
	}
	return last, fmt.Errorf("not within %v", patience)
}

func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) {
		return nil
	}
	return err
}
