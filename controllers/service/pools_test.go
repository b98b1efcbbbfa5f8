package service_test

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func poolTests() map[string]func(*world) {
	return map[string]func(*world){
		"an address that leaves its pool stays": testLeftPool,
		"a broken ConfigMap changes nothing":    testBrokenPools,
		"broken from the start":                 testBrokenFromStart,
		"broken when the controller restarts":   testBrokenRestart,
		"broken when the next one leads":        testBrokenHandOver,
		"a deleted ConfigMap changes nothing":   testDeletedPools,
		"no pool for the namespace":             testNoPool,
		"warnings":                              testWarnings,
	}
}

func testLeftPool(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	c := w.start()
	w.create("web", annotated(heraldIPs, "192.0.2.200"))
	w.is("web", hasAddresses("192.0.2.200"))
	w.setPools(map[string]string{"cidr-global": "192.0.2.0/25"})
	w.is("web", hasAddresses("192.0.2.200"), because(loadbalancer.ReasonAddressLeftPool, "192.0.2.200"))
	w.told("web", "AddressLeftPool", "192.0.2.200")
	c.shutDown()

	c = w.start()
	w.create("other", annotated(heraldIPs, "192.0.2.200"))
	w.is("other", because(loadbalancer.ReasonRequestOutsidePool, ""))
	w.is("web", hasAddresses("192.0.2.200"), because(loadbalancer.ReasonAddressLeftPool, ""))
	w.setPools(map[string]string{"cidr-global": pool24})
	w.is("web", hasAddresses("192.0.2.200"), because(loadbalancer.ReasonAllocated, ""))
	w.is("other", because(loadbalancer.ReasonRequestTaken, ""))
	c.shutDown()
}

func testBrokenPools(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	c := w.start()
	w.create("web")
	w.is("web", hasAddresses("192.0.2.0"))
	w.setPools(map[string]string{"cidr-global": "192.0.2.1/24", "range-default": "192.0.2.9-192.0.2.8"})
	w.told(w.pools.Name, "PoolsInvalid", "192.0.2.1/24")
	w.told(w.pools.Name, "PoolsInvalid", "192.0.2.9-192.0.2.8")
	if c.metric("herald_config_stale") != 1 {
		w.Error("herald_config_stale is not 1")
	}
	w.create("next")
	w.is("next", hasAddresses("192.0.2.1"))
	w.create("outside", annotated(heraldIPs, "198.51.100.1"))
	w.is("outside", because(loadbalancer.ReasonRequestOutsidePool, "the last good pools stay in use"))
	w.is("web", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAllocated, ""))
	w.setPools(map[string]string{"cidr-global": "198.51.100.0/24"})
	w.is("web", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAddressLeftPool, ""))
	if c.metric("herald_config_stale") != 0 {
		w.Error("herald_config_stale is not 0")
	}
}

func testBrokenFromStart(w *world) {
	w.setPools(map[string]string{"cidr-global": "nonsense"})
	w.start()
	w.create("web")
	w.is("web", because(loadbalancer.ReasonNoPool, "nonsense"), because(loadbalancer.ReasonNoPool, "no valid one was read"))
	w.setPools(map[string]string{"cidr-global": pool24})
	w.is("web", hasAddresses("192.0.2.0"))
}

// testBrokenRestart: who has no pools to go by says nothing of addresses held.
func testBrokenRestart(w *world) {
	w.setPools(map[string]string{"cidr-global": "192.0.2.1/32"})
	asFirst(w)
	w.setPools(map[string]string{"cidr-global": "nonsense"})
	c := w.start()
	w.create("waits")
	w.is("waits", because(loadbalancer.ReasonNoPool, "no valid one was read since this controller started"))
	c.finish()
	if wrote := c.wrote(); slices.Contains(wrote, "web") {
		w.Errorf("wrote %v: %+v", wrote, w.get("web").Status)
	}
	if events := w.events("web"); slices.Contains(events, "AddressLeftPool") {
		w.Errorf("events %v", events)
	}

	w.setPools(map[string]string{"cidr-global": "192.0.2.1/32"})
	c = w.start()
	w.is("waits", because(loadbalancer.ReasonPoolExhausted, ""))
	c.finish()
	if wrote := c.wrote(); slices.Contains(wrote, "web") {
		w.Errorf("after the repair wrote %v: %+v", wrote, w.get("web").Status)
	}
}

// testBrokenHandOver: the next leader has the last good pools, since it read them
// while it stood by.
func testBrokenHandOver(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	first := w.start(elects)
	<-first.elected
	second := w.start(elects)
	w.until("the one that stands by has the pools", func() (bool, error) {
		return second.metric("herald_config_last_load_success_timestamp_seconds") > 0, nil
	})
	w.create("web")
	w.is("web", hasAddresses("192.0.2.0"))
	w.setPools(map[string]string{"cidr-global": "nonsense"})
	w.told(w.pools.Name, "PoolsInvalid", "nonsense")
	w.until("the one that stands by is stale", func() (bool, error) { return second.metric("herald_config_stale") == 1, nil })
	first.shutDown()
	w.create("next")
	w.is("next", hasAddresses("192.0.2.1"))
	second.finish()
	if wrote := second.wrote(); slices.Contains(wrote, "web") {
		w.Errorf("wrote %v: %+v", wrote, w.get("web").Status)
	}
}

func testDeletedPools(w *world) {
	w.setPools(map[string]string{"cidr-global": pool24})
	c := w.start()
	w.create("web")
	w.is("web", hasAddresses("192.0.2.0"))
	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.pools.Namespace, Name: w.pools.Name}}
	if err := w.api.Delete(w.Context(), configMap); err != nil {
		w.Fatal(err)
	}
	w.told(w.pools.Name, "PoolsMissing", "")
	if c.metric("herald_config_stale") != 1 {
		w.Error("herald_config_stale is not 1")
	}
	w.create("next")
	w.is("next", hasAddresses("192.0.2.1"))
	w.is("web", hasAddresses("192.0.2.0"), because(loadbalancer.ReasonAllocated, ""))
}

func testNoPool(w *world) {
	w.setPools(map[string]string{"cidr-elsewhere": pool24})
	w.start()
	w.create("web")
	w.is("web", hasAddresses(), because(loadbalancer.ReasonNoPool, "ConfigMap "+w.pools.String()))
	w.setPools(map[string]string{"cidr-elsewhere": pool24, "cidr-" + w.namespace: "198.51.100.0/24"})
	w.is("web", hasAddresses("198.51.100.0"))
}

func testWarnings(w *world) {
	w.setPools(map[string]string{"cidr-global": "203.0.113.0/24", "cdir-global": pool24, "announce-global": "l2,bgp", "bgp.yaml": `
localASN: 64512
peers:
- {name: rack-a, address: 192.0.2.1, asn: 64500, nodeSelector: {matchLabels: {rack: a}}}
- {name: all, address: 192.0.2.2, asn: 64500}
`})
	w.start()
	w.told(w.pools.Name, "PoolsWarning", "cdir-global")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"}}
	if err := w.api.Create(w.Context(), node); err != nil {
		w.Fatal(err)
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "203.0.113.77"}}
	if err := w.api.Status().Update(w.Context(), node); err != nil {
		w.Fatal(err)
	}
	w.told(w.pools.Name, "PoolsWarning", "203.0.113.77")
	w.told(w.pools.Name, "PoolsWarning", "peers.rack-a")
}
