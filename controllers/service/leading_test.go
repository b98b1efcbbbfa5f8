package service_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func leadingTests() map[string]func(*world) {
	return map[string]func(*world){
		"a restart writes nothing":            testRestart,
		"the next leader serves the oldest":   testNextLeader,
		"two replicas, the leader goes":       testHandOver,
		"a former leader that wakes up":       testFormerLeader,
		"statuses are adopted, whoever wrote": testAdoption,
		"an address not ours is put right":    testTampering,
		"a cache that lags costs no address":  testLaggingCache,
		"nothing is written twice":            testNothingTwice,
		"another controller writes too":       testContested,
		"a write ends before the Lease does":  testWriteEnds,
	}
}

func testRestart(w *world) {
	const count = 20
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/28"})
	c := w.start()
	for i := range count {
		w.create(fmt.Sprintf("s%02d", i))
	}
	w.until("16 have an address, the others wait", func() (bool, error) {
		return w.count(hasSomeAddress()) == 16 && w.count(because(loadbalancer.ReasonPoolExhausted, "")) == count-16, nil
	})
	c.shutDown()
	before := w.list()

	c = w.start()
	c.finish()
	if wrote := c.wrote(); len(wrote) > 0 {
		w.Errorf("wrote %v", wrote)
	}
	for i, svc := range w.list() {
		if svc.ResourceVersion != before[i].ResourceVersion {
			w.Errorf("%s changed from %v to %v", svc.Name, before[i].Status, svc.Status)
		}
	}
}

// testNextLeader: those who waited while nobody led are served before anybody new.
func testNextLeader(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	c := w.start()
	w.create("holder")
	w.is("holder", hasSomeAddress())
	for _, name := range []string{"z", "y"} {
		w.createLater(name)
		w.is(name, because(loadbalancer.ReasonPoolExhausted, ""))
	}
	c.shutDown()
	w.delete("holder")
	w.change("holder", func(svc *corev1.Service) { svc.Finalizers = nil })
	w.gone("holder")
	w.createLater("a")
	w.start()
	w.is("z", hasAddresses("192.0.2.0"))
	w.is("a", because(loadbalancer.ReasonPoolExhausted, ""))
}

func testHandOver(w *world) {
	const count = 60
	w.setPools(map[string]string{"cidr-global": pool24})
	first := w.start(elects)
	<-first.elected
	second := w.start(elects)
	w.until("the one that stands by is ready", func() (bool, error) { return second.ready(nil) == nil, nil })
	for i := range count {
		w.create(fmt.Sprintf("s%02d", i))
		if i == count/2 {
			w.is("s00", hasSomeAddress())
			first.shutDown()
		}
	}
	w.until("all have an address", func() (bool, error) { return w.count(hasSomeAddress()) == count, nil })
	w.unique()
	if len(first.wrote()) == 0 || len(second.wrote()) == 0 {
		w.Errorf("writes: %d and %d, want some of each", len(first.wrote()), len(second.wrote()))
	}
}

// testFormerLeader: a leader is stopped between its decision and its write. When
// it goes on, another leads and has given the address away.
func testFormerLeader(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	asleep, awake, done := newGate(), newGate(), newGate()
	var outcome atomic.Value
	w.start(writing(func(_ context.Context, name string, write func() error) error {
		if name != "web" {
			return errInjected // it does nothing else meanwhile
		}
		asleep.Open()
		<-awake.opened
		err := write()
		outcome.Store(fmt.Sprint(err))
		done.Open()
		return err
	}))
	w.Cleanup(awake.Open)
	w.create("web")
	<-asleep.opened

	w.start()
	w.is("web", hasAddresses("192.0.2.0"))
	w.change("web", annotated(heraldIPs, "198.51.100.1"))
	w.is("web", because(loadbalancer.ReasonRequestOutsidePool, ""))
	current := w.get("web").ResourceVersion
	awake.Open()
	<-done.opened
	if now := w.get("web"); now.ResourceVersion != current {
		w.Errorf("the former leader wrote %v; its write gave: %v", now.Status, outcome.Load())
	}
}

// testAdoption: addresses that others wrote are kept, in a pool or not.
func testAdoption(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/30"})
	for name, address := range map[string]string{"inside": "192.0.2.1", "outside": "198.51.100.7"} {
		w.create(name)
		w.writeStatus(name, func(svc *corev1.Service) {
			svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
		})
	}
	w.create("new")
	w.start()
	w.is("inside", hasAddresses("192.0.2.1"), because(loadbalancer.ReasonAllocated, ""), hasFinalizer(true))
	w.is("outside", hasAddresses("198.51.100.7"), because(loadbalancer.ReasonAddressLeftPool, ""), hasFinalizer(true))
	w.is("new", hasAddresses("192.0.2.0"))
}

func testTampering(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start()
	w.create("a")
	w.is("a", hasAddresses("192.0.2.0"))
	w.create("b", annotated(heraldIPs, "198.51.100.1"))
	w.is("b", because(loadbalancer.ReasonRequestOutsidePool, ""))
	for _, name := range []string{"a", "b"} {
		w.writeStatus(name, func(svc *corev1.Service) {
			svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.77"}}
		})
	}
	w.is("a", hasAddresses("192.0.2.0"))
	w.is("b", hasAddresses())
}

// testNothingTwice: while the cache has yet to see what was written, nothing is
// written and nothing allocated again.
func testNothingTwice(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	var first atomic.Pointer[corev1.Service]
	c := w.start(reading(func(svc *corev1.Service) error {
		if !first.CompareAndSwap(nil, svc.DeepCopy()) {
			first.Load().DeepCopyInto(svc)
		}
		return nil
	}))
	w.create("web")
	w.is("web", hasAddresses("192.0.2.0"))
	w.change("web", annotated("example.com/note", "1"))
	c.finish()
	if wrote := c.wrote(); len(wrote) != 1 {
		w.Errorf("%d writes, want 1", len(wrote))
	}
	if got := c.metric("herald_allocations_total"); got != 1 {
		w.Errorf("%v allocations, want 1", got)
	}
}

// testLaggingCache: the cache does not know a Service yet that the leader learned.
func testLaggingCache(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	asFirst(w)
	var lagging atomic.Int32
	w.start(reading(func(svc *corev1.Service) error {
		if svc.Name == "web" && lagging.Add(1) == 1 {
			return apierrors.NewNotFound(corev1.Resource("services"), svc.Name)
		}
		return nil
	}))
	w.until("the cache was asked", func() (bool, error) { return lagging.Load() > 0, nil })
	w.create("next")
	w.is("next", because(loadbalancer.ReasonPoolExhausted, ""))
	w.is("web", hasAddresses("192.0.2.0"))
}

// testWriteEnds: LeaseDuration is 15 s and RenewDeadline 10 s by default.
func testWriteEnds(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	left := make(chan time.Duration, 1)
	w.start(writing(func(ctx context.Context, _ string, write func() error) error {
		deadline, bounded := ctx.Deadline()
		if !bounded {
			w.Error("a write is not bounded")
		}
		select {
		case left <- time.Until(deadline):
		default:
		}
		return write()
	}))
	w.create("web")
	if got := <-left; got >= 5*time.Second {
		w.Errorf("a write may take %v", got)
	}
}

// testContested: who undoes whatever Herald writes does not make it write for ever.
func testContested(w *world) {
	const atOnce = 1 + 5 // the first, and five times again
	w.setPools(map[string]string{"cidr-global": pool24})
	c := w.start()
	w.create("web")
	for range atOnce {
		w.is("web", hasAddresses("192.0.2.0"))
		w.writeStatus("web", func(svc *corev1.Service) {
			svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "198.51.100.1"}}
		})
	}
	w.told("web", "StatusContested", ": service.test")
	w.is("web", hasAddresses("198.51.100.1"))
	if wrote := c.wrote(); len(wrote) != atOnce {
		w.Errorf("%d writes, want %d", len(wrote), atOnce)
	}
	w.change("web", annotated(heraldIPs, "192.0.2.9")) // a change of its own is written at once
	w.is("web", hasAddresses("192.0.2.9"))
}
