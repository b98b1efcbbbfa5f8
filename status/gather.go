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
	report.addNodes(ctx, core, o.Namespace)
	return report, nil
}

func (r *Report) complain(format string, args ...any) {
	r.Complaints = append(r.Complaints, fmt.Sprintf(format, args...))
}

func (r *Report) addPools(ctx context.Context, core corev1client.CoreV1Interface, key types.NamespacedName, served []corev1.Service) {
	object, err := core.ConfigMaps(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		r.complain("there is no ConfigMap %s: no Service gets an address", key)
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

// addNodes asks the agent of every node.
func (r *Report) addNodes(ctx context.Context, core corev1client.CoreV1Interface, namespace string) {
	pods, err := core.Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=herald,app.kubernetes.io/component=node"})
	if err != nil {
		r.complain("the nodes that Herald runs on cannot be listed: %v", err)
		return
	}
	if len(pods.Items) == 0 {
		r.complain("no Pod of Herald's DaemonSet is in namespace %s", namespace)
		return
	}
	owns := make(map[string]int)
	for _, svc := range r.Services {
		for _, a := range svc.Addresses {
			owns[a.Owner]++
		}
	}
	r.Nodes = askAgents(ctx, core, namespace, pods.Items)
	for i := range r.Nodes {
		r.Nodes[i].Owns = owns[r.Nodes[i].Name]
	}
	slices.SortFunc(r.Nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
}
