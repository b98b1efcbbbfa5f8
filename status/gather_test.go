package status

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/controllers/loadbalancer"
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
