package service_test

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func waitingTests() map[string]func(*world) {
	return map[string]func(*world){
		"the oldest first":                      testOldestFirst,
		"all at once when the pool grows":       testPoolGrows,
		"told once why":                         testToldOnce,
		"510 Services at once":                  testBurst,
		"one that is deleted leaves the line":   testWaiterDeleted,
		"a failed write keeps the reservation":  testFailedWrite,
		"a failed write of one that is deleted": testFailedWriteThenDeleted,
	}
}

func testOldestFirst(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("holder")
	w.is("holder", hasSomeAddress())
	// Their names are in the opposite order of their ages.
	for _, name := range []string{"c", "b", "a"} {
		w.createLater(name)
		w.is(name, because(loadbalancer.ReasonPoolExhausted, ""))
	}
	for _, step := range []struct{ leaves, next string }{{"holder", "c"}, {"c", "b"}, {"b", "a"}} {
		w.delete(step.leaves)
		w.is(step.next, hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAllocated, ""))
	}
}

func testPoolGrows(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	names := []string{"a", "b", "c"}
	for _, name := range names {
		w.create(name)
	}
	w.until("two wait", func() (bool, error) { return w.count(because(loadbalancer.ReasonPoolExhausted, "")) == 2, nil })
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/30"})
	var all []string
	for _, name := range names {
		all = append(all, addresses(w.is(name, hasSomeAddress()))...)
	}
	slices.Sort(all)
	if want := []string{"192.0.2.0", "192.0.2.1", "192.0.2.2"}; !slices.Equal(all, want) {
		w.Errorf("addresses %v, want %v", all, want)
	}
}

func testToldOnce(w *world) {
	c := w.start()
	w.create("web")
	w.is("web", hasAddresses(), because(loadbalancer.ReasonNoPool, "ConfigMap "+w.pools.String()+" does not exist"))
	w.told("web", "AllocationFailed", "NoPool")
	// A change that is none of ours makes the Service be looked at again.
	w.change("web", annotated("example.com/note", "1"))
	c.finish()
	if events := w.events("web"); !slices.Equal(events, []string{"AllocationFailed"}) {
		w.Errorf("events %v, want one", events)
	}
	if wrote := c.wrote(); len(wrote) != 1 {
		w.Errorf("written %d times, want once", len(wrote))
	}
}

func testBurst(w *world) {
	const count = 510 // more than a new leader lists at once
	w.setPools(map[string]string{"cidr-global": "198.18.0.0/16,2001:db8::/64"})
	c := w.start()
	began := time.Now()
	var creators errgroup.Group
	creators.SetLimit(16)
	for i := range count {
		creators.Go(func() error {
			return w.api.Create(w.Context(), w.service(fmt.Sprintf("s%03d", i),
				families(corev1.IPFamilyPolicyRequireDualStack, corev1.IPv4Protocol, corev1.IPv6Protocol)))
		})
	}
	if err := creators.Wait(); err != nil {
		w.Fatal(err)
	}
	created := time.Since(began)
	w.until("all have addresses", func() (bool, error) { return w.count(hasSomeAddress()) == count, nil })
	w.Logf("%d Services created in %v, all addressed after %v", count, created, time.Since(began))
	w.unique()
	c.shutDown()

	c = w.start()
	c.finish()
	if wrote := c.wrote(); len(wrote) > 0 {
		w.Errorf("after a restart %d Services were written", len(wrote))
	}
}

func testWaiterDeleted(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	w.start()
	w.create("holder")
	w.is("holder", hasSomeAddress())
	w.create("a")
	w.is("a", because(loadbalancer.ReasonPoolExhausted, ""))
	w.create("b")
	w.is("b", because(loadbalancer.ReasonPoolExhausted, ""))
	w.delete("a")
	w.gone("a")
	w.delete("holder")
	w.is("b", hasAddresses("192.0.2.0"))
}

func testFailedWrite(w *world) {
	failures := 5
	w.setPools(map[string]string{"cidr-global": pool24})
	w.start(serial(func(name string, write func() error) error {
		if name == "unlucky" && failures > 0 {
			failures--
			return errInjected
		}
		return write()
	}))
	w.create("unlucky")
	w.told("unlucky", "SyncLoadBalancerFailed", errInjected.Error())
	w.is("unlucky", hasAddresses("192.0.2.0"))
	w.create("next")
	w.is("next", hasAddresses("192.0.2.1"))
}

func testFailedWriteThenDeleted(w *world) {
	w.setPools(map[string]string{"cidr-global": poolNothing})
	c := w.start(serial(func(name string, write func() error) error {
		if name == "unlucky" {
			return errInjected
		}
		return write()
	}))
	w.create("unlucky")
	w.until("a write is tried", func() (bool, error) { return slices.Contains(c.wrote(), "unlucky"), nil })
	w.create("next")
	w.is("next", because(loadbalancer.ReasonPoolExhausted, ""))
	w.delete("unlucky")
	w.gone("unlucky")
	w.is("next", hasAddresses("192.0.2.0"))
}

// list returns the world's Services.
func (w *world) list() []corev1.Service {
	w.Helper()
	var all corev1.ServiceList
	if err := w.api.List(w.Context(), &all, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	return all.Items
}

// count returns how many Services meet an expectation.
func (w *world) count(expected expectation) int {
	w.Helper()
	var count int
	for _, svc := range w.list() {
		if expected.holds(&svc) {
			count++
		}
	}
	return count
}

// createLater creates a Service that is younger than those there are: creation
// is told in whole seconds.
func (w *world) createLater(name string) {
	w.Helper()
	var youngest time.Time
	for _, svc := range w.list() {
		if svc.CreationTimestamp.After(youngest) {
			youngest = svc.CreationTimestamp.Time
		}
	}
	w.until("a later second", func() (bool, error) { return time.Since(youngest) >= time.Second, nil })
	w.create(name)
}

// unique fails the test if two Services have one address.
func (w *world) unique() {
	w.Helper()
	holders := make(map[string]string)
	for _, svc := range w.list() {
		for _, address := range addresses(&svc) {
			if other, twice := holders[address]; twice {
				w.Errorf("%s and %s both have %s", other, svc.Name, address)
			}
			holders[address] = svc.Name
		}
	}
}
