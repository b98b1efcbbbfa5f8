package service_test

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func addressTests() map[string]func(*world) {
	return map[string]func(*world){
		"one Service from creation to events":              testOneService,
		"a Service without a class":                        testNoClass,
		"the namespace's pool before the global one":       testNamespacePool,
		"families follow the order of ipFamilies":          testFamilyOrder,
		"a preferred family may be missing":                testPreferDualStack,
		"a required family may not be missing":             testRequireDualStack,
		"single stack becomes dual stack and single again": testFamilyChange,
		"protocols and ports in the status follow":         testPorts,
		"conditions of others survive":                     testOtherConditions,
		"how Services stand is exposed":                    testStandings,
	}
}

func testOneService(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.8/32"})
	c := w.start()
	w.create("web")
	svc := w.is("web", hasAddresses("192.0.2.8"), hasFinalizer(true), because(loadbalancer.ReasonAllocated, "192.0.2.8"))

	ingress := svc.Status.LoadBalancer.Ingress[0]
	if ingress.IPMode == nil || *ingress.IPMode != corev1.LoadBalancerIPModeVIP {
		w.Errorf("ipMode %v, want VIP", ingress.IPMode)
	}
	if want := []corev1.PortStatus{{Port: 80, Protocol: corev1.ProtocolTCP}}; !slices.Equal(ingress.Ports, want) {
		w.Errorf("ports %v, want %v", ingress.Ports, want)
	}
	w.told("web", "EnsuringLoadBalancer", "")
	w.told("web", "EnsuredLoadBalancer", "192.0.2.8")
	if wrote := c.wrote(); len(wrote) != 1 {
		w.Errorf("%d writes, want one for finalizer, address and condition together", len(wrote))
	}
	for name, want := range map[string]float64{
		"herald_allocations_total":   1,
		"herald_pool_addresses":      1,
		"herald_pool_addresses_used": 1,
		"herald_config_stale":        0,
	} {
		if got := c.metric(name); got != want {
			w.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func testStandings(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.8/32"})
	c := w.start()
	w.create("web")
	w.is("web", hasAddresses("192.0.2.8"))
	w.create("late")
	w.is("late", because(loadbalancer.ReasonPoolExhausted, ""))
	w.until("both to be counted", func() (bool, error) {
		return c.metric("herald_addresses") == 1 && c.metric("herald_services_waiting") == 1, nil
	})
}

func testNoClass(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/24"})
	w.start(byDefault)
	w.create("unclassed", withoutClass())
	w.create("foreign", ofClass("example.com/other"))
	w.create("ours")
	w.is("unclassed", hasSomeAddress())
	w.is("ours", hasSomeAddress())
	w.is("foreign", hasAddresses(), hasFinalizer(false), hasNoCondition())
}

func testNamespacePool(w *world) {
	w.setPools(map[string]string{
		"cidr-global":            "192.0.2.0/24",
		"range-" + w.namespace:   "198.51.100.7-198.51.100.9",
		"cidr-" + w.namespace:    "203.0.113.1/32",
		"search-order":           "desc",
		"exclude-" + w.namespace: "198.51.100.9",
	})
	w.start()
	w.create("a")
	w.is("a", hasAddresses("203.0.113.1"))
	w.create("b")
	w.is("b", hasAddresses("198.51.100.8"))
	w.create("c")
	w.is("c", hasAddresses("198.51.100.7"))
	w.create("d")
	w.is("d", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, w.namespace))
}

func testFamilyOrder(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.1/32,192.0.2.2/32,2001:db8::/64"})
	w.start()
	w.create("four", families(corev1.IPFamilyPolicySingleStack, corev1.IPv4Protocol))
	w.is("four", hasAddresses("192.0.2.1"))
	w.create("six", families(corev1.IPFamilyPolicySingleStack, corev1.IPv6Protocol))
	w.is("six", hasAddresses("2001:db8::"))
	w.create("both", families(corev1.IPFamilyPolicyRequireDualStack, corev1.IPv6Protocol, corev1.IPv4Protocol))
	w.is("both", hasAddresses("2001:db8::1", "192.0.2.2"))
}

func testPreferDualStack(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/24"})
	w.start()
	w.create("web", families(corev1.IPFamilyPolicyPreferDualStack, corev1.IPv6Protocol, corev1.IPv4Protocol))
	w.is("web", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAllocated, "no IPv6 address"))
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/24, 2001:db8::1/128"})
	w.is("web", hasAddresses("2001:db8::1", "192.0.2.0"), because(loadbalancer.ReasonAllocated, "2001:db8::1, 192.0.2.0"))
}

func testRequireDualStack(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/24"})
	w.start()
	w.create("web", families(corev1.IPFamilyPolicyRequireDualStack, corev1.IPv4Protocol, corev1.IPv6Protocol))
	w.is("web", hasAddresses(), because(loadbalancer.ReasonNoPool, "IPv6"))
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/24,2001:db8::/64"})
	w.is("web", hasAddresses("192.0.2.0", "2001:db8::"))
}

func testFamilyChange(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.1/32,2001:db8::1/128"})
	w.start()
	w.create("web", families(corev1.IPFamilyPolicySingleStack, corev1.IPv4Protocol))
	w.is("web", hasAddresses("192.0.2.1"))
	w.change("web", families(corev1.IPFamilyPolicyRequireDualStack, corev1.IPv4Protocol, corev1.IPv6Protocol))
	w.is("web", hasAddresses("192.0.2.1", "2001:db8::1"))

	w.create("six", families(corev1.IPFamilyPolicySingleStack, corev1.IPv6Protocol))
	w.is("six", because(loadbalancer.ReasonPoolExhausted, "IPv6"))
	w.change("web", families(corev1.IPFamilyPolicySingleStack, corev1.IPv4Protocol), func(svc *corev1.Service) {
		svc.Spec.ClusterIPs = svc.Spec.ClusterIPs[:1]
	})
	w.is("web", hasAddresses("192.0.2.1"))
	w.is("six", hasAddresses("2001:db8::1"))
}

func testPorts(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/24"})
	w.start()
	w.create("dns", ports(tcp(53), udp(53)))
	hasPorts := func(want ...corev1.PortStatus) expectation {
		return expectation{"ports", func(svc *corev1.Service) bool {
			return slices.Equal(svc.Status.LoadBalancer.Ingress[0].Ports, want)
		}}
	}
	w.is("dns", hasAddresses("192.0.2.0"),
		hasPorts(corev1.PortStatus{Port: 53, Protocol: "TCP"}, corev1.PortStatus{Port: 53, Protocol: "UDP"}))
	w.change("dns", ports(udp(53), tcp(853)))
	w.is("dns", hasAddresses("192.0.2.0"),
		hasPorts(corev1.PortStatus{Port: 53, Protocol: "UDP"}, corev1.PortStatus{Port: 853, Protocol: "TCP"}))
}

func testOtherConditions(w *world) {
	others := metav1.Condition{Type: "example.com/Probed", Status: metav1.ConditionTrue, Reason: "Probed", LastTransitionTime: metav1.Now()}
	w.create("web")
	w.writeStatus("web", func(svc *corev1.Service) { svc.Status.Conditions = append(svc.Status.Conditions, others) })
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/24"})
	w.start()
	kept := expectation{"the other's condition", func(svc *corev1.Service) bool {
		return slices.ContainsFunc(svc.Status.Conditions, func(c metav1.Condition) bool { return c.Type == others.Type })
	}}
	w.is("web", hasSomeAddress(), kept)
	w.change("web", ofType(corev1.ServiceTypeClusterIP))
	w.is("web", hasNoCondition(), kept)
}
