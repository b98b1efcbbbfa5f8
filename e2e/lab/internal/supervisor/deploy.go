package supervisor

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// Where Herald looks for its pools unless it is told otherwise.
const (
	heraldNamespace = "herald-system"
	heraldConfigMap = "herald"
)

// deploy applies Herald's own manifests, gives it the segment's pool, and
// waits until its roles are ready.
func (s *Supervisor) deploy(ctx context.Context, detail func(string)) error {
	if s.config.Deploy == "" {
		return nil
	}
	cmd := exec.CommandContext(ctx, s.program("kube"), "kubectl", "--kubeconfig="+kubeconfigOf("admin"),
		"apply", "--kustomize="+filepath.Join(s.config.Root, s.config.Deploy))
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply --kustomize=%s: %w: %s", s.config.Deploy, err, output)
	}
	var ranges []string
	for _, pool := range s.plan.Pools {
		ranges = append(ranges, pool.String())
	}
	pools := applycorev1.ConfigMap(heraldConfigMap, heraldNamespace).
		WithData(map[string]string{"range-global": strings.Join(ranges, ",")})
	if _, err := s.client.CoreV1().ConfigMaps(heraldNamespace).Apply(ctx, pools, metav1.ApplyOptions{FieldManager: "lab", Force: true}); err != nil {
		return fmt.Errorf("pools: %w", err)
	}
	for _, kind := range []struct {
		resource string
		object   runtime.Object
	}{{"deployments", &appsv1.Deployment{}}, {"daemonsets", &appsv1.DaemonSet{}}} {
		if err := awaitRollout(ctx, s.client.AppsV1().RESTClient(), kind.resource, kind.object, detail); err != nil {
			return err
		}
	}
	return nil
}

// awaitRollout waits until every object of a kind has all its Pods ready.
func awaitRollout(ctx context.Context, client rest.Interface, resource string, object runtime.Object, detail func(string)) error {
	list := cache.NewListWatchFromClient(client, resource, heraldNamespace, fields.Everything())
	synced := func(store cache.Store) (bool, error) { return len(store.List()) > 0, nil }
	pending := map[string]bool{}
	_, err := watchtools.UntilWithSync(ctx, list, object, synced, func(event watch.Event) (bool, error) {
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

// unready describes Herald's Pods that are not ready, container by container.
func (s *Supervisor) unready(ctx context.Context) []*corev1.Pod {
	pods, err := s.client.CoreV1().Pods(heraldNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	var unready []*corev1.Pod
	for i := range pods.Items {
		for _, condition := range pods.Items[i].Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionTrue {
				unready = append(unready, &pods.Items[i])
			}
		}
	}
	return unready
}
