package status

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/internal/apiserver"
)

func holder(namespace, name string, conditions []metav1.Condition, addresses ...string) corev1.Service {
	svc := corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	svc.Status.Conditions = conditions
	for _, a := range addresses {
		svc.Status.LoadBalancer.Ingress = append(svc.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: a})
	}
	return svc
}

func TestPools(t *testing.T) {
	parsed, faults := config.Parse(map[string]string{
		"cidr-global": "192.0.2.0/24, 2001:db8::/64", "range-shop": "198.51.100.1-198.51.100.9",
	})
	if parsed == nil {
		t.Fatal(faults)
	}
	got := pools(parsed, []corev1.Service{
		holder("shop", "web", nil, "198.51.100.1"),
		holder("shop", "api", nil, "198.51.100.1"),
		holder("shop", "old", nil, "192.0.2.1"), // not its pool any more
		holder("a", "dual", nil, "192.0.2.2", "2001:db8::2"),
		holder("a", "elsewhere", nil, "203.0.113.1"),
	})
	want := []Pool{
		{Scope: "global", Family: "IPv4", Size: "256", Used: 1},
		{Scope: "global", Family: "IPv6", Size: "18446744073709551616", Used: 1},
		{Scope: "shop", Family: "IPv4", Size: "9", Used: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
}

func TestServices(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	since := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	announced := metav1.Condition{
		Type: loadbalancer.ConditionAnnouncedIPv4, Status: metav1.ConditionTrue, LastTransitionTime: metav1.NewTime(since),
		Message: loadbalancer.Owner{Node: "node1", Interfaces: []string{"eth0"}}.Message(addr, ""),
	}
	offLink := metav1.Condition{Type: loadbalancer.ConditionAnnouncedIPv4, Status: metav1.ConditionFalse, Message: "off-link"}
	waiting := metav1.Condition{Type: loadbalancer.ConditionAddressAllocated, Status: metav1.ConditionFalse, Message: "no pool"}
	routed := metav1.Condition{
		Type: loadbalancer.ConditionAnnouncedIPv4, Status: metav1.ConditionTrue,
		Message: loadbalancer.Advertisement{Node: "node1", Peers: []string{"rtr-a"}}.Message(netip.MustParseAddr("192.0.2.5"), ""),
	}
	got := services([]corev1.Service{
		holder("b", "web", []metav1.Condition{announced}, "192.0.2.1"),
		holder("b", "moved", []metav1.Condition{announced}, "192.0.2.2"),
		holder("b", "far", []metav1.Condition{offLink}, "192.0.2.3"),
		holder("a", "new", nil, "192.0.2.4"),
		holder("a", "routed", []metav1.Condition{routed}, "192.0.2.5"),
		holder("a", "late", []metav1.Condition{waiting}),
	})
	want := []Service{
		{Namespace: "a", Name: "late", Addresses: []Address{}, Waiting: "no pool"},
		{Namespace: "a", Name: "new", Addresses: []Address{
			{Address: netip.MustParseAddr("192.0.2.4"), Problem: "no node has said yet that it answers"},
		}},
		{Namespace: "a", Name: "routed", Addresses: []Address{{Address: netip.MustParseAddr("192.0.2.5"), Advertised: routed.Message}}},
		{Namespace: "b", Name: "far", Addresses: []Address{{Address: netip.MustParseAddr("192.0.2.3"), Problem: "off-link"}}},
		{Namespace: "b", Name: "moved", Addresses: []Address{{Address: netip.MustParseAddr("192.0.2.2"), Problem: announced.Message}}},
		{Namespace: "b", Name: "web", Addresses: []Address{{Address: addr, Owner: "node1", Interfaces: []string{"eth0"}, Since: since}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

// That no controller is there to give addresses is said, and so is which nodes take none.
func TestPrograms(t *testing.T) {
	core := kubernetes.NewForConfigOrDie(apiserver.Start(t)).CoreV1()
	options := Options{Pools: types.NamespacedName{Namespace: "default", Name: "herald"}, Namespace: "default"}
	create := func(component, node string) *corev1.Pod {
		pod, err := core.Pods("default").Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: component, Labels: map[string]string{
				"app.kubernetes.io/name": "herald", "app.kubernetes.io/component": component,
			}},
			Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "herald", Image: "herald"}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return pod
	}
	complaints := func() string {
		report, err := Gather(t.Context(), core, options)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(report.Complaints, "\n")
	}
	const none = "no Pod of Herald's controller is ready"

	controller := create("controller", "node1")
	if got := complaints(); !strings.Contains(got, none) || !strings.Contains(got, "no Pod of Herald's DaemonSet") {
		t.Errorf("with a controller that is not ready, and no agent: %s", got)
	}
	controller.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if _, err := core.Pods("default").UpdateStatus(t.Context(), controller, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := complaints(); strings.Contains(got, none) {
		t.Errorf("with a controller that is ready: %s", got)
	}

	create("node", "node1")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1", Labels: map[string]string{corev1.LabelNodeExcludeBalancers: ""}}}
	if _, err := core.Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	report, err := Gather(t.Context(), core, options)
	if err != nil || len(report.Nodes) != 1 || !report.Nodes[0].Excluded || report.Nodes[0].Error == "" {
		t.Errorf("of a node that is excluded, whose agent is not reached: %+v, %v", report, err)
	}
}
