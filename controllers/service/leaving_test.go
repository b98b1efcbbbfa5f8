package service_test

import (
	"slices"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func leavingTests() map[string]func(*world) {
	return map[string]func(*world){
		"deleted": testDeleted,
		"deleted, with another's finalizer on it":                  testDeletedSlowly,
		"deleted while the controller is down":                     testDeletedMeanwhile,
		"becomes a ClusterIP and comes back":                       testTypeChange,
		"becomes an ExternalName":                                  testExternalName,
		"changes while the controller is down":                     testTypeChangeMeanwhile,
		"asks to be ignored and comes back":                        testIgnored,
		"of another class is not touched":                          testForeign,
		"comes back with its class changed":                        testClassChange,
		"deleted and made again at once":                           testReplaced,
		"its finalizer is taken away by force":                     testForced,
		"an address that Herald gave to another class is reserved": testForeignAddress,
		"is not ours any more after --class-only":                  testClassOnly,
		"is not ours any more after --class":                       testOtherClass,
	}
}

const cleanup = "service.kubernetes.io/load-balancer-cleanup"

// released expects that nothing of Herald is left on a Service.
func released() []expectation {
	return []expectation{hasAddresses(), hasFinalizer(false), hasNoCondition()}
}

func testDeleted(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("web")
	w.is("web", hasSomeAddress())
	w.delete("web")
	w.gone("web")
	w.told("web", "DeletingLoadBalancer", "")
	w.told("web", "DeletedLoadBalancer", "")
	w.create("next")
	w.is("next", hasAddresses("192.0.2.0"))
}

func testDeletedSlowly(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("web", func(svc *corev1.Service) { svc.Finalizers = []string{"example.com/slow"} })
	w.is("web", hasSomeAddress())
	w.delete("web")
	w.is("web", released()...)
	w.create("next")
	w.is("next", hasAddresses("192.0.2.0"))
	w.change("web", func(svc *corev1.Service) { svc.Finalizers = nil })
	w.gone("web")
}

func testDeletedMeanwhile(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	asFirst(w)
	w.delete("web")
	w.start()
	w.gone("web")
	w.create("next")
	w.is("next", hasAddresses("192.0.2.0"))
}

// asFirst has an instance come and go that gives Service web an address.
func asFirst(w *world) {
	w.Helper()
	c := w.start()
	w.create("web")
	w.is("web", hasSomeAddress())
	c.shutDown()
}

func testTypeChange(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("web")
	w.is("web", hasSomeAddress())
	w.writeStatus("web", func(svc *corev1.Service) {
		meta.SetStatusCondition(&svc.Status.Conditions, metav1.Condition{
			Type: loadbalancer.ConditionAnnouncedIPv4, Status: metav1.ConditionTrue, Reason: "Announced",
		})
	})
	w.change("web", ofType(corev1.ServiceTypeClusterIP))
	w.is("web", released()...)
	w.told("web", "DeletedLoadBalancer", "")
	w.create("next")
	w.is("next", hasAddresses("192.0.2.0"))
	w.change("web", ofType(corev1.ServiceTypeLoadBalancer), ofClass(w.class))
	w.is("web", because(loadbalancer.ReasonPoolExhausted, ""))
	w.delete("next")
	w.is("web", hasAddresses("192.0.2.0"), hasFinalizer(true))
}

func testExternalName(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("web")
	w.is("web", hasSomeAddress())
	w.change("web", ofType(corev1.ServiceTypeExternalName))
	w.is("web", released()...)
}

func testTypeChangeMeanwhile(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	asFirst(w)
	w.change("web", ofType(corev1.ServiceTypeClusterIP))
	w.start()
	w.is("web", released()...)
	w.create("next")
	w.is("next", hasAddresses("192.0.2.0"))
}

func testIgnored(w *world) {
	const ignore = "kube-vip.io/ignore"
	w.setPools(map[string]string{"cidr-global": pool24})
	c := w.start()
	w.create("web")
	w.is("web", hasAddresses("192.0.2.0"))
	w.change("web", annotated(ignore, "true"))
	w.is("web", released()...)
	w.change("web", annotated(ignore, "false"))
	w.is("web", hasAddresses("192.0.2.0"))
	c.shutDown()
	w.change("web", annotated(ignore, "true"))
	w.create("next")
	w.start()
	// It is not another's before it is taken back from the one that has it.
	w.is("next", hasAddresses("192.0.2.1"))
	w.is("web", released()...)
}

func testForeign(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	status := corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.99"}}}
	foreign := []option{ofClass("example.com/other"), func(svc *corev1.Service) { svc.Finalizers = []string{cleanup} }}
	w.create("foreign", foreign...)
	w.writeStatus("foreign", func(svc *corev1.Service) { svc.Status.LoadBalancer = status })
	w.create("cluster-ip", ofType(corev1.ServiceTypeClusterIP), withoutClass(), func(svc *corev1.Service) {
		svc.Finalizers = []string{cleanup}
		svc.Spec.AllocateLoadBalancerNodePorts = nil
	})
	w.create("unclassed", append(foreign, withoutClass())...)
	w.create("ignored", annotated("kube-vip.io/ignore", "true"), func(svc *corev1.Service) { svc.Finalizers = []string{cleanup} })
	before := w.list()

	c := w.start()
	w.create("ours")
	w.is("ours", hasSomeAddress())
	w.delete("foreign")
	c.finish()
	for _, svc := range before {
		now := w.get(svc.Name)
		if !slices.Contains(now.Finalizers, cleanup) || len(now.Status.LoadBalancer.Ingress) != len(svc.Status.LoadBalancer.Ingress) {
			w.Errorf("%s was touched: %+v %v", svc.Name, now.Status, now.Finalizers)
		}
	}
	if wrote := c.wrote(); !slices.Equal(wrote, []string{"ours"}) {
		w.Errorf("wrote %v", wrote)
	}
}

// testClassChange: another implementation takes over what was Herald's. The
// finalizer is its own then, as far as anyone can tell.
func testClassChange(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	var fail atomic.Bool
	w.start(serial(func(name string, write func() error) error {
		if fail.Load() && name == "web" {
			return errInjected // so that the step between is not acted upon
		}
		return write()
	}))
	w.create("web")
	w.is("web", hasSomeAddress())
	fail.Store(true)
	w.change("web", ofType(corev1.ServiceTypeClusterIP))
	w.change("web", ofType(corev1.ServiceTypeLoadBalancer), ofClass("example.com/other"))
	w.writeStatus("web", func(svc *corev1.Service) {
		svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "198.51.100.1"}}
	})
	fail.Store(false)
	w.is("web", hasAddresses("198.51.100.1"), hasNoCondition(), hasFinalizer(true))
	w.create("next")
	w.is("next", hasAddresses("192.0.2.0"))
}

func testReplaced(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	for range 5 {
		svc := w.create("web")
		w.is("web", expectation{"the new one", func(now *corev1.Service) bool { return now.UID == svc.UID }},
			hasAddresses("192.0.2.0"), hasFinalizer(true))
		w.delete("web")
		w.gone("web")
	}
}

// testForced: the Service goes without a last look at it, since the write that
// would take the finalizer off fails.
func testForced(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	var fail atomic.Bool
	w.start(serial(func(name string, write func() error) error {
		if fail.Load() && name == "web" {
			return errInjected
		}
		return write()
	}))
	w.create("web")
	w.is("web", hasSomeAddress())
	fail.Store(true)
	w.delete("web")
	w.change("web", func(svc *corev1.Service) { svc.Finalizers = nil })
	w.gone("web")
	w.create("next")
	w.is("next", hasAddresses("192.0.2.0"))
}

func testForeignAddress(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.create("foreign", ofClass("example.com/other"))
	w.writeStatus("foreign", func(svc *corev1.Service) {
		svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.0"}}
		svc.Status.Conditions = []metav1.Condition{{
			Type: loadbalancer.ConditionAddressAllocated, Status: metav1.ConditionTrue,
			Reason: loadbalancer.ReasonAllocated, LastTransitionTime: metav1.Now(),
		}}
	})
	w.start()
	w.create("web")
	w.is("web", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, ""))
	w.is("foreign", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAllocated, ""))
	w.writeStatus("foreign", func(svc *corev1.Service) { svc.Status.LoadBalancer.Ingress[0].IP = "198.51.100.1" })
	w.is("web", hasAddresses("192.0.2.0"))
	w.is("foreign", hasAddresses("198.51.100.1"))
}

// testClassOnly: what had no class and was Herald's for it is given back.
func testClassOnly(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	c := w.start(byDefault)
	w.create("web", withoutClass())
	w.is("web", hasSomeAddress())
	c.shutDown()
	w.create("next")
	var mayWrite atomic.Bool
	w.start(serial(func(name string, write func() error) error {
		if name == "web" && !mayWrite.Load() {
			return errInjected
		}
		return write()
	}))
	w.is("next", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, ""))
	mayWrite.Store(true)
	w.is("web", released()...)
	w.is("next", hasAddresses("192.0.2.0"))
	w.delete("web")
	w.gone("web")
}

// testOtherClass: what is of a class that was Herald's keeps what it has until it
// is deleted, and can be.
func testOtherClass(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	asFirst(w)
	was := w.class
	w.class += "-new"
	c := w.start()
	w.create("next")
	w.is("next", hasAddresses(), because(loadbalancer.ReasonPoolExhausted, ""))
	w.is("web", hasAddresses("192.0.2.0"), hasFinalizer(true), because(loadbalancer.ReasonAllocated, ""))
	if wrote := c.wrote(); slices.Contains(wrote, "web") {
		w.Errorf("wrote %v, also what is of class %s", wrote, was)
	}
	w.delete("web")
	w.gone("web")
	w.is("next", hasAddresses("192.0.2.0"))
}
