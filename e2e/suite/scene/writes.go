package scene

import (
	"context"
	"fmt"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// lease is the one object that Herald renews.
const lease = "herald-controller"

// Writes watches everything that Herald may write until ctx ends, and returns
// what was written, but for the Lease of the controller's election.
func (st *Stage) Writes(ctx context.Context) ([]string, error) {
	writes := make(chan string)
	for _, watched := range []struct {
		client              rest.Interface
		resource, namespace string
	}{
		{st.API.CoreV1().RESTClient(), "services", metav1.NamespaceAll},
		{st.API.CoreV1().RESTClient(), "configmaps", System},
		{st.API.EventsV1().RESTClient(), "events", metav1.NamespaceAll},
		{st.API.CoordinationV1().RESTClient(), "leases", System},
	} {
		list := cache.NewListWatchFromClient(watched.client, watched.resource, watched.namespace, fields.Everything())
		changes, err := watchFromNow(ctx, list)
		if err != nil {
			return nil, fmt.Errorf("watch %s: %w", watched.resource, err)
		}
		go report(ctx, watched.resource, changes, writes)
	}
	var all []string
	for {
		select {
		case write := <-writes:
			all = append(all, write)
		case <-ctx.Done():
			return all, nil
		}
	}
}

func watchFromNow(ctx context.Context, list *cache.ListWatch) (watch.Interface, error) {
	objects, err := list.ListWithContext(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	now, err := meta.ListAccessor(objects)
	if err != nil {
		return nil, err
	}
	return list.WatchWithContext(ctx, metav1.ListOptions{ResourceVersion: now.GetResourceVersion()})
}

func report(ctx context.Context, resource string, changes watch.Interface, writes chan<- string) {
	defer changes.Stop()
	for change := range changes.ResultChan() {
		object, err := meta.Accessor(change.Object)
		if err != nil || change.Type == watch.Deleted || !byHerald(change.Object, object.GetName()) {
			continue // Herald deletes nothing
		}
		select {
		case writes <- fmt.Sprintf("%s %s %s/%s", change.Type, resource, object.GetNamespace(), object.GetName()):
		case <-ctx.Done():
			return
		}
	}
}

// byHerald says whether a change of the object is Herald's, and not due.
func byHerald(object runtime.Object, name string) bool {
	switch o := object.(type) {
	case *eventsv1.Event:
		return strings.Contains(o.ReportingController, "herald")
	case *coordinationv1.Lease:
		return name != lease
	default:
		return true
	}
}
