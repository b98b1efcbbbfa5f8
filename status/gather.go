package status

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// Options say where to look.
type Options struct {
	// Pools names the ConfigMap of the address pools.
	Pools types.NamespacedName
	// Class says which Services are Herald's.
	Class loadbalancer.Class
	// Namespace is the one that Herald runs in.
	Namespace string
}

// Gather returns the report. What cannot be read of the pools or of one node is
// a complaint in the report; an error is that the Services cannot be listed.
func Gather(ctx context.Context, core corev1client.CoreV1Interface, o Options) (*Report, error) {
	list, err := core.Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list Services: %w", err)
	}
	served := slices.DeleteFunc(list.Items, func(svc corev1.Service) bool { return !o.Class.Matches(&svc) })
	report := &Report{Services: services(served)}
	report.addPools(ctx, core, o.Pools, served)
	report.addPrograms(ctx, core, o.Namespace)
	return report, nil
}

func (r *Report) complain(format string, args ...any) {
	r.Complaints = append(r.Complaints, fmt.Sprintf(format, args...))
}

func (r *Report) addPools(ctx context.Context, core corev1client.CoreV1Interface, key types.NamespacedName, served []corev1.Service) {
	object, err := core.ConfigMaps(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		r.complain("there is no ConfigMap %s: Herald keeps to the last good one until it is restarted, and has no pool then", key)
		return
	case err != nil:
		r.complain("the pools cannot be read: %v", err)
		return
	}
	parsed, faults := config.Parse(object.Data)
	for _, fault := range faults {
		r.complain("ConfigMap %s: %s: %s", key, fault.Severity, fault)
	}
	if parsed == nil {
		r.complain("ConfigMap %s is refused: Herald keeps to the last good one", key)
		return
	}
	r.Pools = pools(parsed, served)
}

// addPrograms tells of Herald's own Pods: the controller's, and each node's, whose agent is
// asked.
func (r *Report) addPrograms(ctx context.Context, core corev1client.CoreV1Interface, namespace string) {
	list, err := core.Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=herald"})
	if err != nil {
		r.complain("Herald's Pods cannot be listed: %v", err)
		return
	}
	if !slices.ContainsFunc(list.Items, isReadyController) {
		r.complain("no Pod of Herald's controller is ready in namespace %s: no Service gets an address, or gives one back", namespace)
	}
	agents := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.Labels[component] != "node" })
	if len(agents) == 0 {
		r.complain("no Pod of Herald's DaemonSet is in namespace %s", namespace)
		return
	}
	r.Nodes = askAgents(ctx, core, namespace, agents)
	r.countOwned()
	r.addExcluded(ctx, core)
	slices.SortFunc(r.Nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
}

// component is the label that says which of Herald's programs a Pod is.
const component = "app.kubernetes.io/component"

func isReadyController(pod corev1.Pod) bool {
	return pod.Labels[component] == "controller" && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// countOwned counts the addresses that each node owns.
func (r *Report) countOwned() {
	owns := make(map[string]int)
	for _, svc := range r.Services {
		for _, a := range svc.Addresses {
			owns[a.Owner]++
		}
	}
	for i := range r.Nodes {
		r.Nodes[i].Owns = owns[r.Nodes[i].Name]
	}
}

// addExcluded marks the nodes that have the label which keeps addresses away.
func (r *Report) addExcluded(ctx context.Context, core corev1client.CoreV1Interface) {
	list, err := core.Nodes().List(ctx, metav1.ListOptions{LabelSelector: corev1.LabelNodeExcludeBalancers})
	if err != nil {
		r.complain("Nodes that are excluded cannot be listed: %v", err)
		return
	}
	for i := range r.Nodes {
		r.Nodes[i].Excluded = slices.ContainsFunc(list.Items, func(node corev1.Node) bool { return node.Name == r.Nodes[i].Name })
	}
}
