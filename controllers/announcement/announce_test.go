package announcement

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/internal/apiserver"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/election"
)

// One API server serves all tests, one after the other.
func TestAgent(t *testing.T) {
	config := apiserver.Start(t)
	for name, test := range map[string]func(*cluster){
		"expose":                       testExpose,
		"local follows endpoints":      testLocal,
		"endpoints are of a family":    testEndpointFamily,
		"nodes come and go":            testNodes,
		"a node's own address":         testOwnAddress,
		"a shared address":             testSharing,
		"other classes are left alone": testClass,
		"garbage in a status":          testGarbage,
		"the end of a Service":         testWithdrawal,
		"interfaces":                   testInterfaces,
		"agent restart":                testRestart,
		"late agent":                   testLateAgent,
		"a stranger's address":         testConflict,
		"500 at once":                  testBurst,
		"API server away":              testAPIServerAway,
		"conditions":                   testConditions,
		"events":                       testEvents,
		"a stranger comes and goes":    testContests,
		"no eligible node":             testNoEligibleNode,
		"health and metrics":           testHealth,
		"a mistaken name":              testNodeName,
		"the deployed rights":          testDeployedRights,
		"shared conditions":            testSharedConditions,
	} {
		t.Run(name, func(t *testing.T) { test(newCluster(t, config)) })
	}
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, addr(text))
	}
	return all
}

// hosts creates Nodes, each with an announcer and an agent.
func (c *cluster) hosts(names ...string) map[string]*host {
	c.t.Helper()
	all := make(map[string]*host)
	for _, name := range names {
		c.node(name)
	}
	for _, name := range names {
		all[name] = c.host(name)
	}
	return all
}

// owner returns the host that is to announce addr if all of these may.
func owner(hosts map[string]*host, addr netip.Addr) *host {
	var names []string
	for name := range hosts {
		names = append(names, name)
	}
	name, _ := election.Elect(addr, names)
	return hosts[name]
}

// awaitSplit waits until each host announces what it owns, and nothing else.
func (c *cluster) awaitSplit(hosts map[string]*host, addrs ...netip.Addr) {
	c.t.Helper()
	for _, h := range hosts {
		var own []netip.Addr
		for _, addr := range addrs {
			if owner(hosts, addr) == h {
				own = append(own, addr)
			}
		}
		h.awaitExactly(c.t, own...)
	}
}

func testExpose(c *cluster) {
	hosts := c.hosts("a", "b", "c")
	all := addrs("192.0.2.1", "2001:db8::1")
	svc := c.service("web", nil)
	c.assign(svc, all...)
	c.awaitSplit(hosts, all...)
	for _, addr := range all {
		if !owner(hosts, addr).probed[addr] {
			c.t.Errorf("%s is new to the cluster, and was not probed", addr)
		}
	}

	// Another address: the old one is given up.
	moved := addrs("192.0.2.77", "2001:db8::1")
	c.assign(svc, moved...)
	c.awaitSplit(hosts, moved...)
}

func testLocal(c *cluster) {
	hosts := c.hosts("a", "b", "c")
	vip := addr("192.0.2.1")
	svc := c.service("web", []netip.Addr{vip}, local)
	slice := c.endpoints(svc, discoveryv1.AddressTypeIPv4, ready("a"))
	on := func(name string) {
		c.t.Helper()
		for _, h := range hosts {
			if h.name == name {
				h.awaitExactly(c.t, vip)
			} else {
				h.awaitExactly(c.t)
			}
		}
	}
	move := func(endpoints ...discoveryv1.Endpoint) {
		c.t.Helper()
		c.patch(slice, func() { slice.Endpoints = endpoints })
	}
	on("a")
	move(ready("b"), endpointOn("a", false, false, false))
	on("b")
	// A rolling update: the old endpoint drains until the new one is ready.
	move(draining("b"), endpointOn("c", false, false, false))
	on("b")
	move(draining("b"), ready("c"))
	on("c")
	// Conditions that are not set count as ready.
	move(discoveryv1.Endpoint{Addresses: []string{"10.244.0.9"}, NodeName: new("a")})
	on("a")
	move()
	on("")
	// The policy goes, and with it the need of endpoints.
	c.patch(svc, func() { svc.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster })
	c.awaitSplit(hosts, vip)
}

func testEndpointFamily(c *cluster) {
	hosts := c.hosts("a", "b")
	svc := c.service("web", addrs("192.0.2.1", "2001:db8::1"), local)
	c.endpoints(svc, discoveryv1.AddressTypeIPv4, ready("a"))
	hosts["a"].awaitExactly(c.t, addr("192.0.2.1"))
	six := ready("b")
	six.Addresses = []string{"2001:db8:244::1"}
	c.endpoints(svc, discoveryv1.AddressTypeIPv6, six)
	hosts["b"].awaitExactly(c.t, addr("2001:db8::1"))
	hosts["a"].awaitExactly(c.t, addr("192.0.2.1"))
}

func testNodes(c *cluster) {
	a, b := c.node("a"), c.node("b")
	hosts := map[string]*host{"a": c.host("a"), "b": c.host("b")}
	var all []netip.Addr
	for next := addr("192.0.2.1"); len(all) < 20; next = next.Next() {
		all = append(all, next)
		c.service(fmt.Sprintf("web-%d", len(all)), []netip.Addr{next})
	}
	both := func() { c.t.Helper(); c.awaitSplit(hosts, all...) }
	only := func(name string) {
		c.t.Helper()
		c.awaitSplit(map[string]*host{name: hosts[name]}, all...)
		for other, h := range hosts {
			if other != name {
				h.awaitExactly(c.t)
			}
		}
	}
	both()
	c.patch(a, func() { a.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: ""} })
	only("b")
	c.patch(a, func() { a.Labels = nil })
	both()
	c.setReady(b, corev1.ConditionUnknown)
	only("a")
	c.setReady(b, corev1.ConditionTrue)
	both()
	// Nobody is ready: that is no reason to fall silent.
	c.setReady(b, corev1.ConditionUnknown)
	only("a")
	c.setReady(a, corev1.ConditionUnknown)
	both()
	c.setReady(a, corev1.ConditionTrue)
	c.setReady(b, corev1.ConditionTrue)
	both()
	// A node that is held by a finalizer is leaving all the same.
	c.patch(b, func() { b.Finalizers = []string{"test.heraldlb.io/hold"} })
	if err := c.api.Delete(c.t.Context(), b); err != nil {
		c.t.Fatal(err)
	}
	only("a")
	for _, addr := range all {
		if hosts["a"].probed[addr] && owner(hosts, addr) == hosts["b"] {
			c.t.Errorf("%s moved from b to a, and a probed it", addr)
		}
	}
	c.patch(b, func() { b.Finalizers = nil })
}

// A status that another load balancer left may hold a node's own address.
func testOwnAddress(c *cluster) {
	a := c.node("a")
	c.patchStatus(a, func() {
		a.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.7"}}
	})
	h := c.host("a")
	svc := c.service("web", addrs("192.0.2.7", "2001:db8::7"))
	h.awaitExactly(c.t, addrs("2001:db8::7")...)
	c.awaitService(svc, "the condition that names the node", func(svc *corev1.Service) bool {
		condition := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAnnouncedIPv4)
		return condition != nil && condition.Message == "192.0.2.7 is the node a's own address"
	})
	c.patchStatus(a, func() { a.Status.Addresses = nil })
	h.awaitExactly(c.t, addrs("192.0.2.7", "2001:db8::7")...)
}

func testSharing(c *cluster) {
	hosts := c.hosts("a", "b", "c")
	vip := addr("192.0.2.1")
	one := c.service("one", []netip.Addr{vip}, local)
	two := c.service("two", []netip.Addr{vip}, local)
	c.service("three", []netip.Addr{vip})
	c.endpoints(one, discoveryv1.AddressTypeIPv4, ready("a"), ready("b"))
	c.endpoints(two, discoveryv1.AddressTypeIPv4, ready("b"), ready("c"))
	hosts["b"].awaitExactly(c.t, vip)
	if err := c.api.Delete(c.t.Context(), one); err != nil {
		c.t.Fatal(err)
	}
	left := map[string]*host{"b": hosts["b"], "c": hosts["c"]}
	c.awaitSplit(left, vip)
	hosts["a"].awaitExactly(c.t)
}

func testClass(c *cluster) {
	h := c.hosts("a")["a"]
	other, nobody := "example.com/other", func(svc *corev1.Service) { svc.Spec.LoadBalancerClass = nil }
	c.service("other", addrs("192.0.2.1"), func(svc *corev1.Service) { svc.Spec.LoadBalancerClass = &other })
	c.service("nobody", addrs("192.0.2.2"), nobody)
	c.service("ignored", addrs("192.0.2.3"), annotate("kube-vip.io/ignore", "true"))
	c.service("ours", addrs("192.0.2.4"))
	h.awaitExactly(c.t, addr("192.0.2.4"))
}

func testGarbage(c *cluster) {
	h := c.hosts("a")["a"]
	svc := c.service("garbage", nil)
	c.patchStatus(svc, func() {
		svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{
			{Hostname: "lb.example.com"}, {IP: "127.0.0.1"}, {IP: "224.0.0.1"}, {IP: "0.0.0.0"},
		}
	})
	c.service("good", addrs("192.0.2.1"))
	h.awaitExactly(c.t, addr("192.0.2.1"))
}

func testWithdrawal(c *cluster) {
	h := c.hosts("a")["a"]
	deleted := c.service("deleted", addrs("192.0.2.1"), func(svc *corev1.Service) {
		svc.Finalizers = []string{"service.kubernetes.io/load-balancer-cleanup"}
	})
	retyped := c.service("retyped", addrs("192.0.2.2"))
	emptied := c.service("emptied", addrs("192.0.2.3"))
	c.service("stays", addrs("192.0.2.4"))
	h.awaitExactly(c.t, addrs("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")...)

	// The finalizer is there yet: the address is silent before it is free.
	if err := c.api.Delete(c.t.Context(), deleted); err != nil {
		c.t.Fatal(err)
	}
	h.await(c.t, "the deleted to go", func() bool { _, on := h.announced[addr("192.0.2.1")]; return !on })
	c.patch(deleted, func() { deleted.Finalizers = nil })
	c.patch(retyped, func() {
		retyped.Spec.Type = corev1.ServiceTypeClusterIP
		retyped.Spec.LoadBalancerClass, retyped.Spec.AllocateLoadBalancerNodePorts = nil, nil
	})
	c.assign(emptied)
	h.awaitExactly(c.t, addr("192.0.2.4"))
}

func testInterfaces(c *cluster) {
	pools := c.configMap(map[string]string{"cidr-global": "192.0.2.0/24", "interface-global": "eth1"})
	h := c.hosts("a")["a"]
	on := func(text, iface string) {
		c.t.Helper()
		h.await(c.t, text+" on "+iface, func() bool {
			a, ok := h.announced[addr(text)]
			return ok && a.Interface == iface
		})
	}
	c.service("pool", addrs("192.0.2.1"))
	c.service("left-the-pool", addrs("198.51.100.1"))
	named := c.service("named", addrs("192.0.2.2"), annotate(loadbalancerInterface, "eth2"))
	c.service("kube-vip", addrs("192.0.2.3"), annotate("kube-vip.io/serviceInterface", "eth3"))
	on("192.0.2.1", "eth1")
	on("198.51.100.1", "eth1")
	on("192.0.2.2", "eth2")
	on("192.0.2.3", "eth3")

	c.patch(pools, func() { pools.Data["interface-default"] = "eth4" })
	on("192.0.2.1", "eth4")
	on("192.0.2.2", "eth2")
	// Bad pools change nothing; that they were read shows in what comes after.
	c.patch(pools, func() { pools.Data["cidr-global"], pools.Data["interface-default"] = "192.0.2.0/33", "eth5" })
	c.patch(named, func() { delete(named.Annotations, loadbalancerInterface) })
	on("192.0.2.2", "eth4")
	on("192.0.2.1", "eth4")
	c.patch(pools, func() { pools.Data["cidr-global"] = "192.0.2.0/24" })
	on("192.0.2.1", "eth5")
	if err := c.api.Delete(c.t.Context(), pools); err != nil {
		c.t.Fatal(err)
	}
	c.service("after", addrs("192.0.2.4"))
	on("192.0.2.4", "eth5")
}

// loadbalancerInterface is spelled out: users write it.
const loadbalancerInterface = "heraldlb.io/interface"

func testRestart(c *cluster) {
	h := c.hosts("a")["a"]
	svc := c.service("web", addrs("192.0.2.1"))
	nowhere := c.service("local", addrs("192.0.2.2"), local)
	h.awaitExactly(c.t, addr("192.0.2.1"))
	c.awaitService(svc, "the condition", announcedBy("a"))
	c.awaitCondition(nowhere, metav1.ConditionFalse, ReasonNoEligibleNode, "192.0.2.2")
	h.mu.Lock()
	differences := h.differences
	h.mu.Unlock()

	h.stop()
	before := h.writes.Load()
	h.start()
	// What comes after the restart is done after what the restart does.
	marker := c.service("marker", addrs("192.0.2.3"))
	c.awaitService(marker, "the marker's condition", announcedBy("a"))
	h.awaitExactly(c.t, addrs("192.0.2.1", "192.0.2.3")...)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told[addr("192.0.2.1")].Probe || !h.told[addr("192.0.2.3")].Probe {
		c.t.Error("the address of before is to be probed, or the new one is not")
	}
	if h.snapshots != 2 || h.differences != differences+1 {
		c.t.Errorf("%d snapshots and %d differences, want 2 and 1: the marker", h.snapshots, h.differences-differences)
	}
	// The marker's condition, and an event or none yet.
	if n := h.writes.Load() - before; n > 2 {
		c.t.Errorf("the restart wrote %d times to the API server", n-2)
	}
}

// An agent that comes when the addresses are there already trusts conditions
// alone: an address that no node is known to have answered for is probed.
func testLateAgent(c *cluster) {
	c.node("a")
	never, before := addr("192.0.2.1"), addr("192.0.2.2")
	c.service("never", []netip.Addr{never})
	svc := c.service("before", []netip.Addr{before})
	c.patchStatus(svc, func() {
		status := announcer.Status{Address: before, State: announcer.Announced}
		meta.SetStatusCondition(&svc.Status.Conditions, announced("b", status).condition)
	})
	h := c.host("a")
	h.awaitExactly(c.t, never, before)
	if !h.probed[never] || h.probed[before] {
		c.t.Errorf("probed: %v, want %s alone", h.probed, never)
	}
}

// A stranger's address is nobody's to seize: neither a restart nor another owner
// forgets the conflict.
func testConflict(c *cluster) {
	hosts := c.hosts("a", "b")
	vip := addr("192.0.2.1")
	for _, h := range hosts {
		h.change(func() {
			h.answer = func(announcer.Announcement) announcer.Status {
				return announcer.Status{Address: vip, State: announcer.Conflict}
			}
		})
	}
	svc := c.service("web", []netip.Addr{vip})
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonConflict, vip.String())
	first := owner(hosts, vip)
	first.stop()
	first.start()
	exclude := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: first.name}}
	c.patch(exclude, func() { exclude.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: ""} })
	delete(hosts, first.name)
	c.awaitSplit(hosts, vip)
	c.patch(exclude, func() { exclude.Labels = nil })
	first.awaitExactly(c.t, vip)
	for _, h := range append(slices.Collect(maps.Values(hosts)), first) {
		h.await(c.t, h.name+" to probe", func() bool { return h.told[vip].Probe })
	}
}

func testBurst(c *cluster) {
	hosts := c.hosts("a", "b", "c")
	var all []netip.Addr
	services := make(chan *corev1.Service, 500)
	var writers sync.WaitGroup
	for next := addr("10.9.0.0"); len(all) < 500; next = next.Next() {
		all = append(all, next)
	}
	for part := range slices.Chunk(all, 63) {
		writers.Go(func() {
			for _, addr := range part {
				services <- c.service("web-"+strings.ReplaceAll(addr.String(), ".", "-"), []netip.Addr{addr})
			}
		})
	}
	writers.Wait()
	close(services)
	c.awaitSplit(hosts, all...)
	for svc := range services {
		addr := addr(svc.Status.LoadBalancer.Ingress[0].IP)
		c.awaitService(svc, "the condition of "+addr.String(), announcedBy(owner(hosts, addr).name))
	}
	for _, h := range hosts {
		h.stop()
		if most := int64(2 * len(h.addresses())); h.writes.Load() > most {
			c.t.Errorf("%s wrote %d times, want at most a condition and an event for each of its %d", h.name, h.writes.Load(), most/2)
		}
	}
}
