package failover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

// What Herald's own manifests call things.
const (
	HeraldClass     = "heraldlb.io/herald"
	HeraldNamespace = "herald-system"
)

const (
	heraldService   = "herald"
	heraldDaemonSet = "herald"
	kubelet         = "kubelet"
)

// Herald is this project's own, as the lab deploys it.
type Herald struct {
	site *site.Site
	fast bool
	// usual are the announcers' arguments while others are set.
	usual []string
	// dead are the processes of crashed nodes.
	dead map[string][]int
}

// NewHerald returns Herald on a site, as it is deployed, or with heartbeats each
// 10 ms of which 3 may be lost.
func NewHerald(s *site.Site, fast bool) *Herald {
	return &Herald{site: s, fast: fast, dead: map[string][]int{}}
}

// Start implements System.
func (h *Herald) Start(ctx context.Context) ([]netip.Addr, error) {
	if h.fast {
		args, err := h.arguments(ctx)
		if err != nil {
			return nil, err
		}
		h.usual = args
		fast := slices.Concat(args, []string{"--heartbeat-interval=10ms", "--heartbeat-multiplier=3"})
		if err := h.setArguments(ctx, fast); err != nil {
			return nil, err
		}
	}
	return h.site.Expose(ctx, heraldService, HeraldClass)
}

// Stop implements System.
func (h *Herald) Stop(ctx context.Context) error {
	err := h.site.Unexpose(ctx, heraldService)
	if h.fast {
		err = errors.Join(err, h.setArguments(ctx, h.usual))
	}
	return err
}

// arguments returns what the announcers are started with.
func (h *Herald) arguments(ctx context.Context) ([]string, error) {
	set, err := h.site.API.AppsV1().DaemonSets(HeraldNamespace).Get(ctx, heraldDaemonSet, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	for _, container := range set.Spec.Template.Spec.Containers {
		if container.Name == string(ground.Announcer) {
			return container.Args, nil
		}
	}
	return nil, fmt.Errorf("the DaemonSet %s has no container %s", heraldDaemonSet, ground.Announcer)
}

func (h *Herald) setArguments(ctx context.Context, args []string) error {
	text, err := json.Marshal(args)
	if err != nil {
		return err
	}
	const patch = `{"spec":{"template":{"spec":{"containers":[{"name":%q,"args":%s}]}}}}`
	return h.change(ctx, fmt.Appendf(nil, patch, ground.Announcer, text))
}

// Processes implements System. The kubelet is among them: a dead node starts
// nothing anew.
func (h *Herald) Processes(ctx context.Context, node string) ([]int, error) {
	processes, err := h.site.Roles.Processes(ctx)
	if err != nil {
		return nil, err
	}
	first, err := h.site.Component(ctx, node, kubelet)
	if err != nil {
		return nil, err
	}
	pids := []int{first}
	for _, process := range processes {
		if process.Host == node {
			pids = append(pids, process.PID)
		}
	}
	h.dead[node] = pids[1:]
	return pids, nil
}

// Revive implements System.
func (h *Herald) Revive(ctx context.Context, node string) error {
	if err := h.site.Reconnect(ctx, node); err != nil {
		return err
	}
	if err := h.site.Cluster.Host(node).Start(ctx, kubelet); err != nil {
		return err
	}
	return h.ready(ctx, h.dead[node])
}

// ready waits until all of Herald's Pods are, and none by those processes.
func (h *Herald) ready(ctx context.Context, dead []int) error {
	list := cache.NewListWatchFromClient(h.site.API.CoreV1().RESTClient(), "pods", HeraldNamespace, fields.Everything())
	pods := map[string]bool{}
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Pod{}, nil, func(event watch.Event) (bool, error) {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			return false, nil
		}
		if event.Type == watch.Deleted {
			delete(pods, pod.Name)
		} else {
			pods[pod.Name] = up(pod, dead)
		}
		for _, ready := range pods {
			if !ready {
				return false, nil
			}
		}
		return h.complete(pods), nil
	})
	return err
}

// complete says whether there are Pods enough: one on each node and the
// controllers.
func (h *Herald) complete(pods map[string]bool) bool { return len(pods) > len(h.site.Nodes) }

// up says whether all containers of a Pod are ready, and none is one of those
// processes.
func up(pod *corev1.Pod, dead []int) bool {
	if pod.DeletionTimestamp != nil || len(pod.Status.ContainerStatuses) < len(pod.Spec.Containers) {
		return false
	}
	for _, container := range pod.Status.ContainerStatuses {
		var pid int
		if _, err := fmt.Sscanf(container.ContainerID, "lab://%d", &pid); err != nil || slices.Contains(dead, pid) {
			return false
		}
		if container.State.Running == nil || !container.Ready {
			return false
		}
	}
	return true
}

// process returns the id of a role's process on a node.
func (h *Herald) process(ctx context.Context, node string, role ground.Role) (int, error) {
	processes, err := h.site.Roles.Processes(ctx)
	if err != nil {
		return 0, err
	}
	for _, process := range processes {
		if process.Host == node && process.Role == role {
			return process.PID, nil
		}
	}
	return 0, fmt.Errorf("no %s runs on %s", role, node)
}

// pods returns the DaemonSet's Pods on a node.
func (h *Herald) pods(ctx context.Context, node string) ([]corev1.Pod, error) {
	pods, err := h.site.API.CoreV1().Pods(HeraldNamespace).List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/component=node",
		FieldSelector: onNode(node),
	})
	if err != nil {
		return nil, err
	}
	return pods.Items, nil
}
