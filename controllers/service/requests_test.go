package service_test

import (
	"slices"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func requestTests() map[string]func(*world) {
	return map[string]func(*world){
		"every spelling is read":                          testSpellings,
		"two families in one list":                        testDualRequest,
		"of two that contradict the first decides":        testPrecedence,
		"invalid text names the annotation":               testInvalidRequest,
		"an address outside the pool":                     testOutsidePool,
		"an address that is taken, until it is not":       testTaken,
		"what cannot be had leaves the old one":           testKeepsOld,
		"another address is asked for":                    testMove,
		"an address left is reserved while a write fails": testMoveUnwritten,
	}
}

const (
	heraldIPs   = "heraldlb.io/load-balancer-ips"
	metalLBIPs  = "metallb.io/loadBalancerIPs"
	pool24      = "192.0.2.0/24"
	poolNothing = "192.0.2.0/32"
)

func testSpellings(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start()
	w.create("herald", annotated(heraldIPs, " 192.0.2.11 "))
	w.create("kube-vip", annotated("kube-vip.io/loadbalancerIPs", "192.0.2.12"))
	w.create("metallb", annotated(metalLBIPs, "192.0.2.13"))
	w.create("metallb-old", annotated("metallb.universe.tf/loadBalancerIPs", "192.0.2.14"))
	w.create("field", func(svc *corev1.Service) { svc.Spec.LoadBalancerIP = "192.0.2.15" })
	w.is("herald", hasAddresses("192.0.2.11"))
	w.is("kube-vip", hasAddresses("192.0.2.12"))
	w.is("metallb", hasAddresses("192.0.2.13"))
	w.is("metallb-old", hasAddresses("192.0.2.14"))
	w.is("field", hasAddresses("192.0.2.15"))
}

func testDualRequest(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24 + ",2001:db8::/64"})
	w.start()
	w.create("web", annotated(heraldIPs, "2001:db8::f, 192.0.2.15"),
		families(corev1.IPFamilyPolicyRequireDualStack, corev1.IPv4Protocol, corev1.IPv6Protocol))
	w.is("web", hasAddresses("192.0.2.15", "2001:db8::f"))
}

func testPrecedence(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start()
	w.create("web", annotated(metalLBIPs, "192.0.2.13"), annotated(heraldIPs, "192.0.2.11"))
	w.is("web", hasAddresses("192.0.2.11"), because(loadbalancer.ReasonAllocated, heraldIPs+" decides, not "+metalLBIPs))
}

func testInvalidRequest(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start()
	w.create("web", annotated(heraldIPs, "192.0.2.300"))
	w.is("web", hasAddresses(), hasFinalizer(false), because(loadbalancer.ReasonRequestInvalid, heraldIPs+`: "192.0.2.300"`))
	w.told("web", "AllocationFailed", heraldIPs)
	w.change("web", annotated(heraldIPs, "192.0.2.30"))
	w.is("web", hasAddresses("192.0.2.30"), because(loadbalancer.ReasonAllocated, ""))
	w.change("web", annotated(heraldIPs, "2001:db8::1"))
	w.is("web", hasAddresses("192.0.2.30"), because(loadbalancer.ReasonRequestInvalid, "192.0.2.30 stays"))
}

func testOutsidePool(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	c := w.start()
	w.create("web", annotated(heraldIPs, "198.51.100.1"))
	w.is("web", hasAddresses(), because(loadbalancer.ReasonRequestOutsidePool, "198.51.100.1"))
	event := w.told("web", "AllocationFailed", "RequestOutsidePool")
	if event.Type != corev1.EventTypeWarning {
		w.Errorf("the event's type is %s", event.Type)
	}
	if got := c.metric("herald_allocation_failures_total"); got != 1 {
		w.Errorf("%v failures counted, want 1", got)
	}
	w.setPools(map[string]string{"cidr-global": pool24 + ",198.51.100.1/32"})
	w.is("web", hasAddresses("198.51.100.1"))
}

func testTaken(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start()
	w.create("first", annotated(heraldIPs, "192.0.2.7"))
	w.is("first", hasAddresses("192.0.2.7"))
	w.create("second", annotated(heraldIPs, "192.0.2.7"))
	w.is("second", hasAddresses(), because(loadbalancer.ReasonRequestTaken, w.namespace+"/first"))
	w.delete("first")
	w.is("second", hasAddresses("192.0.2.7"), because(loadbalancer.ReasonAllocated, ""))
}

func testKeepsOld(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start()
	w.create("holder", annotated(heraldIPs, "192.0.2.7"))
	w.is("holder", hasSomeAddress())
	w.create("web", annotated(heraldIPs, "192.0.2.8"))
	w.is("web", hasSomeAddress())
	w.change("web", annotated(heraldIPs, "192.0.2.7"))
	w.is("web", hasAddresses("192.0.2.8"), because(loadbalancer.ReasonRequestTaken, "192.0.2.8 stays"))
	w.change("web", annotated(heraldIPs, ""))
	w.is("web", hasAddresses("192.0.2.8"), because(loadbalancer.ReasonAllocated, ""))
}

func testMove(w *world) {
	w.setPools(map[string]string{"range-global": "192.0.2.7-192.0.2.8"})
	w.start()
	w.create("web", annotated(heraldIPs, "192.0.2.7"))
	w.is("web", hasAddresses("192.0.2.7"))
	w.create("waits", annotated(heraldIPs, "192.0.2.7"))
	w.is("waits", because(loadbalancer.ReasonRequestTaken, ""))
	w.change("web", annotated(heraldIPs, "192.0.2.8"))
	w.is("web", hasAddresses("192.0.2.8"))
	w.is("waits", hasAddresses("192.0.2.7"))
	w.told("web", "UpdatedLoadBalancer", "192.0.2.8 instead of 192.0.2.7")
	if events := w.events("web"); slices.Contains(events, "AllocationFailed") {
		w.Errorf("events %v: nothing failed", events)
	}
}

// testMoveUnwritten: an address is nobody else's while a status still names it,
// however long that cannot be written.
func testMoveUnwritten(w *world) {
	w.setPools(map[string]string{"range-global": "192.0.2.7-192.0.2.8,2001:db8::7-2001:db8::7"})
	var fail atomic.Bool
	tried := newGate()
	w.start(serial(func(name string, write func() error) error {
		if fail.Load() && name == "web" {
			tried.Open()
			return errInjected
		}
		return write()
	}))
	both := families(corev1.IPFamilyPolicyRequireDualStack, corev1.IPv4Protocol, corev1.IPv6Protocol)
	w.create("web", both, annotated(heraldIPs, "192.0.2.7"))
	w.is("web", hasAddresses("192.0.2.7", "2001:db8::7"))
	fail.Store(true)
	w.change("web", annotated(heraldIPs, "192.0.2.8"), families(corev1.IPFamilyPolicySingleStack, corev1.IPv4Protocol),
		func(svc *corev1.Service) { svc.Spec.ClusterIPs = svc.Spec.ClusterIPs[:1] })
	<-tried.opened
	w.create("four", annotated(heraldIPs, "192.0.2.7"))
	w.is("four", hasAddresses(), because(loadbalancer.ReasonRequestTaken, w.namespace+"/web"))
	w.create("six", families(corev1.IPFamilyPolicySingleStack, corev1.IPv6Protocol))
	w.is("six", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, ""))
	fail.Store(false)
	w.is("web", hasAddresses("192.0.2.8"))
	w.is("four", hasAddresses("192.0.2.7"))
	w.is("six", hasAddresses("2001:db8::7"))
}
