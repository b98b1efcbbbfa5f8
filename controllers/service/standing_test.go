package service

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/ipam"
)

var ours = loadbalancer.Class{Default: true}

// service returns one with these addresses and conditions.
func service(addresses []string, conditions ...metav1.Condition) corev1.Service {
	svc := corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
	for _, address := range addresses {
		svc.Status.LoadBalancer.Ingress = append(svc.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: address})
	}
	svc.Status.Conditions = conditions
	return svc
}

// says is a condition that speaks of an address.
func says(address string, status metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{
		Type: loadbalancer.AnnouncedCondition(netip.MustParseAddr(address)), Status: status, Reason: reason,
		Message: "something of " + address,
	}
}

func waits(reason string) metav1.Condition {
	return metav1.Condition{Type: loadbalancer.ConditionAddressAllocated, Status: metav1.ConditionFalse, Reason: reason}
}

func TestStandings(t *testing.T) {
	foreign, cluster := service([]string{"192.0.2.66"}), service(nil)
	foreign.Spec.LoadBalancerClass = new("example.com/other")
	cluster.Spec.Type = corev1.ServiceTypeClusterIP
	services := []corev1.Service{
		service([]string{"192.0.2.1", "2001:db8::1"}, says("192.0.2.1", "True", "Announced"), says("2001:db8::1", "False", "NoOwner")),
		service([]string{"192.0.2.2"}, says("192.0.2.2", "True", "Announced")),
		service([]string{"192.0.2.3"}),
		// It speaks of an address that the Service had before.
		service([]string{"192.0.2.4"}, says("192.0.2.1", "True", "Announced")),
		// Shared: one of them complains.
		service([]string{"192.0.2.5"}, says("192.0.2.5", "True", "Announced")),
		service([]string{"192.0.2.5"}, says("192.0.2.5", "False", "Conflict")),
		// The second of a family is another load balancer's.
		service([]string{"192.0.2.6", "192.0.2.77"}, says("192.0.2.6", "True", "Contested")),
		service(nil, waits("PoolExhausted")), service(nil, waits("PoolExhausted")), service(nil, waits("NoPool")), service(nil),
		service(nil, waits("No\xffText")),
		foreign, cluster,
	}
	c := newStandings(func() (standing, bool) { return standingOf(services, ours), true })
	want := `
		# HELP herald_addresses Addresses that Services hold, by IP family and by the reason in the condition that says whether a node answers for it; Unreported: it says nothing yet.
		# TYPE herald_addresses gauge
		herald_addresses{family="IPv4",reason="Announced"} 2
		herald_addresses{family="IPv4",reason="Conflict"} 1
		herald_addresses{family="IPv4",reason="Contested"} 1
		herald_addresses{family="IPv4",reason="Unreported"} 2
		herald_addresses{family="IPv6",reason="NoOwner"} 1
		# HELP herald_services_waiting Services without an address, by the reason in their condition; Unreported: it says nothing yet.
		# TYPE herald_services_waiting gauge
		herald_services_waiting{reason="No?Text"} 1
		herald_services_waiting{reason="NoPool"} 1
		herald_services_waiting{reason="PoolExhausted"} 2
		herald_services_waiting{reason="Unreported"} 1
	`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	// Nothing is said by who does not lead.
	if n := testutil.CollectAndCount(newStandings(func() (standing, bool) { return standing{}, false })); n != 0 {
		t.Errorf("%d samples of a replica that stands by", n)
	}
}

// Conditions of Services that share an address count in whatever order they come.
func TestStandingOfShared(t *testing.T) {
	services := []corev1.Service{
		service([]string{"192.0.2.5"}, says("192.0.2.5", "True", "Announced")),
		service([]string{"192.0.2.5"}, says("192.0.2.5", "False", "NoOwner")),
		service([]string{"192.0.2.5"}),
	}
	want := familyReason{corev1.IPv4Protocol, "NoOwner"}
	for range 2 {
		if got := standingOf(services, ours).addresses; len(got) != 1 || got[want] != 1 {
			t.Errorf("%v, want %v alone", got, want)
		}
		slices.Reverse(services)
	}
}

// However many reasons somebody writes, the series are few, and from scrape to scrape the same.
func TestStandingsAreBounded(t *testing.T) {
	var services []corev1.Service
	for i := range 200 {
		address := fmt.Sprintf("192.0.2.%d", i)
		services = append(services, service([]string{address}, says(address, "False", fmt.Sprint("Reason", i))))
		services = append(services, service(nil, waits(fmt.Sprint("Reason", i))))
	}
	c := newStandings(func() (standing, bool) { return standingOf(services, ours), true })
	if n := testutil.CollectAndCount(c); n != 2*(maxReasons+1) {
		t.Errorf("%d series", n)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	scrape := func() string {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(families)
	}
	if first, second := scrape(), scrape(); first != second {
		t.Errorf("%s\nand then\n%s", first, second)
	}
}

func TestMetricsLint(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	m.allocations.WithLabelValues("IPv4")
	m.failures.WithLabelValues("NoPool")
	registry.MustRegister(
		newPoolUsage(func() []ipam.Usage { return []ipam.Usage{{Pool: "global", Family: ipam.IPv4, Size: 1}} }),
		newStandings(func() (standing, bool) {
			return standingOf([]corev1.Service{service(nil), service([]string{"192.0.2.1"})}, ours), true
		}),
	)
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// BenchmarkStandingOf is what a scrape costs with 10,000 addresses.
func BenchmarkStandingOf(b *testing.B) {
	var services []corev1.Service
	for i := range 10_000 {
		address := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String()
		services = append(services, service([]string{address}, says(address, "True", "Announced")))
	}
	for b.Loop() {
		standingOf(services, ours)
	}
}
