package supervisor

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// maxRestarts is how often a container of Herald may end while the lab comes
// up, before waiting on is pointless.
const maxRestarts = 5

// errRolledOut ends the watch on crashes.
var errRolledOut = errors.New("every role is ready")

// awaitRoles waits until all of Herald's Pods are ready, or one keeps ending.
func (s *Supervisor) awaitRoles(ctx context.Context, detail func(string)) error {
	var roles errgroup.Group
	ctx, done := context.WithCancelCause(ctx)
	roles.Go(func() error {
		return awaitRollout(ctx, s.client.AppsV1().RESTClient(), "deployments", &appsv1.Deployment{}, detail)
	})
	roles.Go(func() error {
		return awaitRollout(ctx, s.client.AppsV1().RESTClient(), "daemonsets", &appsv1.DaemonSet{}, detail)
	})
	crashed := make(chan struct{})
	go func() {
		defer close(crashed)
		done(awaitCrash(ctx, s.client.CoreV1().RESTClient()))
	}()
	err := roles.Wait()
	done(errRolledOut)
	<-crashed
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// awaitRollout waits until every object of a kind has all its Pods ready.
func awaitRollout(ctx context.Context, client rest.Interface, resource string, object runtime.Object, detail func(string)) error {
	list := cache.NewListWatchFromClient(client, resource, heraldNamespace, fields.Everything())
	pending := map[string]bool{}
	_, err := watchtools.UntilWithSync(ctx, list, object, nil, func(event watch.Event) (bool, error) {
		name, ready, want := rollout(event.Object)
		pending[name] = ready < want || want == 0
		detail(fmt.Sprintf("%s %s: %d of %d Pods ready", resource, name, ready, want))
		for _, waits := range pending {
			if waits {
				return false, nil
			}
		}
		return true, nil
	})
	return err
}

// awaitCrash waits until a container of Herald has ended too often.
func awaitCrash(ctx context.Context, client rest.Interface) error {
	pods := cache.NewListWatchFromClient(client, "pods", heraldNamespace, fields.Everything())
	_, err := watchtools.UntilWithSync(ctx, pods, &corev1.Pod{}, nil, func(event watch.Event) (bool, error) {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			return false, nil
		}
		for _, container := range pod.Status.ContainerStatuses {
			if container.RestartCount >= maxRestarts {
				return false, fmt.Errorf("container %s of Pod %s on %s ended %d times", container.Name, pod.Name, pod.Spec.NodeName, container.RestartCount)
			}
		}
		return false, nil
	})
	return err
}

// rollout returns how many Pods of the newest generation are ready, and how
// many there shall be.
func rollout(object runtime.Object) (name string, ready, want int32) {
	switch o := object.(type) {
	case *appsv1.Deployment:
		want = *o.Spec.Replicas
		if o.Status.ObservedGeneration >= o.Generation && o.Status.UpdatedReplicas >= want {
			ready = o.Status.AvailableReplicas
		}
		return o.Name, ready, want
	case *appsv1.DaemonSet:
		want = o.Status.DesiredNumberScheduled
		if o.Status.ObservedGeneration >= o.Generation && o.Status.UpdatedNumberScheduled >= want {
			ready = o.Status.NumberAvailable
		}
		return o.Name, ready, want
	}
	return "", 0, 0
}
