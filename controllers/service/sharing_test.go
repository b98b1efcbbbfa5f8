package service_test

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func sharingTests() map[string]func(*world) {
	return map[string]func(*world){
		"one address by key, with disjoint ports": testSharingKey,
		"ports that come to clash":                testPortsClash,
		"Local policy needs equal selectors":      testLocalPolicy,
		"a pool that shares":                      testSharingPool,
		"two that already have one address":       testConflict,
	}
}

const sharingKey = "heraldlb.io/sharing-key"

func testSharingKey(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("tcp", annotated(sharingKey, "dns"), ports(tcp(53)))
	w.is("tcp", hasAddresses("192.0.2.0"))
	w.create("udp", annotated("metallb.io/allow-shared-ip", "dns"), ports(udp(53)))
	w.is("udp", hasAddresses("192.0.2.0"))
	w.create("same-port", annotated(sharingKey, "dns"), ports(tcp(53)))
	w.is("same-port", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, ""))
	w.create("other-key", annotated(sharingKey, "web"), ports(tcp(80)))
	w.is("other-key", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, ""))
	w.delete("tcp")
	w.is("same-port", hasAddresses("192.0.2.0"))
}

func testPortsClash(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start()
	w.create("a", annotated(sharingKey, "k"), ports(tcp(80)))
	w.is("a", hasAddresses("192.0.2.0"))
	w.create("b", annotated(sharingKey, "k"), ports(tcp(443)))
	w.is("b", hasAddresses("192.0.2.0"))

	w.change("b", ports(tcp(80), tcp(443)))
	w.is("b", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAddressConflict, "TCP/80"))
	w.is("a", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAddressConflict, w.namespace+"/b"))
	w.told("b", "AllocationFailed", "TCP/80")

	w.change("b", ports(tcp(443)))
	w.is("b", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAllocated, ""))
	w.is("a", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAllocated, ""))
}

func testLocalPolicy(w *world) {
	local := func(app string) option {
		return func(svc *corev1.Service) {
			svc.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			svc.Spec.Selector = map[string]string{"app": app, "tier": "front"}
		}
	}
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("a", annotated(sharingKey, "k"), ports(tcp(80)), local("shop"))
	w.is("a", hasSomeAddress())
	w.create("b", annotated(sharingKey, "k"), ports(tcp(443)), local("shop"))
	w.is("b", hasAddresses("192.0.2.0"))
	w.create("c", annotated(sharingKey, "k"), ports(tcp(8080)), local("blog"))
	w.is("c", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, ""))
}

func testSharingPool(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing, "allow-share-global": "true"})
	w.start()
	w.create("a", ports(tcp(80)))
	w.is("a", hasAddresses("192.0.2.0"))
	w.create("b", ports(tcp(443)))
	w.is("b", hasAddresses("192.0.2.0"))
}

// testConflict: what another implementation did wrong is told, and not made worse.
func testConflict(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	for _, name := range []string{"a", "b"} {
		w.create(name)
		w.writeStatus(name, func(svc *corev1.Service) {
			svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.9"}}
		})
	}
	w.start()
	w.is("a", hasAddresses("192.0.2.9"), because(loadbalancer.ReasonAddressConflict, w.namespace+"/b"))
	w.is("b", hasAddresses("192.0.2.9"), because(loadbalancer.ReasonAddressConflict, w.namespace+"/a"))
	w.delete("a")
	w.is("b", hasAddresses("192.0.2.9"), because(loadbalancer.ReasonAllocated, ""))
}
