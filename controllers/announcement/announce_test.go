package announcement

import (
	"fmt"
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
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/apiserver"
)

// One API server serves all tests, one after the other.
func TestAgent(t *testing.T) {
	config := apiserver.Start(t)
	for name, test := range map[string]func(*cluster){
		"expose":                       testExpose,
		"local follows endpoints":      testLocal,
		"endpoints are of a family":    testEndpointFamily,
		"many hosts":                   testManyHosts,
		"nodes come and go":            testNodes,
		"a node that is not ready":     testReadiness,
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
		"facts":                        testFacts,
		"a new word asks to rebalance": testRebalance,
		"cut off":                      testCutOff,
		"the owner changes":            testOwnerChange,
		"nobody owns":                  testUnowned,
		"shared conditions":            testSharedConditions,
		"BGP":                          testAdvertise,
		"BGP, local":                   testAdvertiseLocal,
		"BGP or layer 2":               testAnnounceWays,
		"BGP, advertisements":          testAdvertisements,
		"BGP, nodes come and go":       testAdvertisingNodes,
		"BGP, passwords":               testPasswords,
		"BGP, agent restart":           testAdvertisingRestart,
		"BGP, API server away":         testAdvertisingAlone,
		"BGP, BFD":                     testAdvertisingBFD,
		"BGP, spokesmen":               testSpokesmen,
		"BGP, 300 at once":             testAdvertisingBurst,
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

// awaitAll waits until each host is a candidate for exactly these addresses.
func (c *cluster) awaitAll(hosts map[string]*host, addrs ...netip.Addr) {
	c.t.Helper()
	for _, h := range hosts {
		h.awaitExactly(c.t, addrs...)
	}
}

// awaitHosts waits until each host was told that these may own addr, all of them
// by the hint too if the policy is Local.
func (c *cluster) awaitHosts(hosts map[string]*host, addr netip.Addr, local bool, names ...string) {
	c.t.Helper()
	for name, h := range hosts {
		h.await(c.t, fmt.Sprintf("%s to know that %v may own %s", name, names, addr), func() bool {
			said, told := h.said[addr]
			hint := slices.Sorted(slices.Values(said.Hosts))
			return told && said.Eligible == slices.Contains(names, name) &&
				(said.Hosts != nil) == local && (!local || slices.Equal(hint, names))
		}, func() any { return h.said })
	}
}

func testExpose(c *cluster) {
	hosts := c.hosts("a", "b", "c")
	all := addrs("192.0.2.1", "2001:db8::1")
	svc := c.service("web", nil)
	c.assign(svc, all...)
	c.awaitAll(hosts, all...)
	for _, addr := range all {
		c.awaitHosts(hosts, addr, false, "a", "b", "c")
		if owner := c.segment.ownerOf(c.t, addr); !owner.probed[addr] {
			c.t.Errorf("%s is new to the cluster, and was not probed", addr)
		}
	}

	// Another address: the old one is given up.
	c.assign(svc, addrs("192.0.2.77", "2001:db8::1")...)
	for _, h := range hosts {
		h.awaitHeld(c.t, addrs("192.0.2.77", "2001:db8::1")...)
	}
}

func testLocal(c *cluster) {
	hosts := c.hosts("a", "b", "c")
	vip := addr("192.0.2.1")
	svc := c.service("web", []netip.Addr{vip}, local)
	slice := c.endpoints(svc, discoveryv1.AddressTypeIPv4, ready("a"))
	on := func(names ...string) {
		c.t.Helper()
		c.awaitHosts(hosts, vip, true, names...)
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
	move(ready("a"), ready("c"))
	on("a", "c")
	// Nobody may own it, but it is held all the same.
	move()
	on()
	// The policy goes, and with it the need of endpoints.
	c.patch(svc, func() { svc.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster })
	c.awaitHosts(hosts, vip, false, "a", "b", "c")
}

func testEndpointFamily(c *cluster) {
	hosts := c.hosts("a", "b")
	svc := c.service("web", addrs("192.0.2.1", "2001:db8::1"), local)
	c.endpoints(svc, discoveryv1.AddressTypeIPv4, ready("a"))
	c.awaitHosts(hosts, addr("192.0.2.1"), true, "a")
	c.awaitHosts(hosts, addr("2001:db8::1"), true)
	six := ready("b")
	six.Addresses = []string{"2001:db8:244::1"}
	c.endpoints(svc, discoveryv1.AddressTypeIPv6, six)
	c.awaitHosts(hosts, addr("2001:db8::1"), true, "b")
	c.awaitHosts(hosts, addr("192.0.2.1"), true, "a")
}

// Of many hosts a few are told, the same to all, and none that is excluded.
func testManyHosts(c *cluster) {
	vip := addr("192.0.2.1")
	svc := c.service("web", []netip.Addr{vip}, local)
	var names []string
	var endpoints []discoveryv1.Endpoint
	for i := range 2 * announcer.MaxHosts {
		names = append(names, fmt.Sprintf("many-%d", i))
		endpoints = append(endpoints, ready(names[i]))
		c.node(names[i])
	}
	excluded := election.Heaviest(vip, names, 1)[0]
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: excluded}}
	c.patch(n, func() { n.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: ""} })
	c.endpoints(svc, discoveryv1.AddressTypeIPv4, endpoints...)
	names = slices.DeleteFunc(names, func(name string) bool { return name == excluded })
	want := election.Heaviest(vip, names, announcer.MaxHosts)
	last := election.Heaviest(vip, names, len(names))[len(names)-1]
	for _, h := range []*host{c.host(want[0]), c.host(last)} {
		h.await(c.t, "the hosts that weigh most", func() bool {
			return h.said[vip].Eligible && slices.Equal(h.said[vip].Hosts, want)
		}, func() any { return h.said })
	}
}

func testNodes(c *cluster) {
	a, b := c.node("a"), c.node("b")
	hosts := map[string]*host{"a": c.host("a"), "b": c.host("b")}
	var all []netip.Addr
	for next := addr("192.0.2.1"); len(all) < 20; next = next.Next() {
		all = append(all, next)
		c.service(fmt.Sprintf("web-%d", len(all)), []netip.Addr{next})
	}
	c.awaitAll(hosts, all...)
	c.patch(a, func() { a.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: ""} })
	hosts["a"].awaitExactly(c.t)
	hosts["a"].awaitFacts(c, "excluded", func(f announcer.Facts) bool { return f.Excluded })
	hosts["a"].awaitHeld(c.t, all...)
	hosts["b"].awaitExactly(c.t, all...)
	c.patch(a, func() { a.Labels = nil })
	hosts["a"].awaitFacts(c, "excluded no more", func(f announcer.Facts) bool { return !f.Excluded })
	c.awaitAll(hosts, all...)
	// A node that is held by a finalizer is leaving all the same.
	c.patch(b, func() { b.Finalizers = []string{"test.heraldlb.io/hold"} })
	if err := c.api.Delete(c.t.Context(), b); err != nil {
		c.t.Fatal(err)
	}
	hosts["b"].awaitExactly(c.t)
	hosts["b"].awaitFacts(c, "leaving", func(f announcer.Facts) bool { return f.Excluded })
	hosts["a"].awaitExactly(c.t, all...)
	for _, addr := range all {
		owner := c.segment.ownerOf(c.t, addr)
		if owner != hosts["a"].wire {
			c.t.Errorf("%s is owned by %s", addr, owner.node)
		}
	}
	c.patch(b, func() { b.Finalizers = nil })
}

// A kubelet that has stopped takes nothing from a node whose Herald is well.
func testReadiness(c *cluster) {
	a, b := c.node("a"), c.node("b")
	hosts := map[string]*host{"a": c.host("a"), "b": c.host("b")}
	vip := addr("192.0.2.1")
	svc := c.service("web", []netip.Addr{vip})
	c.awaitAll(hosts, vip)
	owner := c.segment.ownerOf(c.t, vip)
	c.awaitService(svc, "the condition", announcedBy(owner.node))
	c.segment.mu.Lock()
	before := hosts["a"].differences + hosts["b"].differences
	c.segment.mu.Unlock()
	c.setReady(a, corev1.ConditionUnknown)
	c.setReady(b, corev1.ConditionUnknown)
	// What comes after is told after.
	marker := addr("192.0.2.2")
	last := c.service("marker", []netip.Addr{marker})
	c.awaitAll(hosts, vip, marker)
	c.awaitService(last, "the marker's condition", announcedBy(c.segment.ownerOf(c.t, marker).node))
	c.awaitService(svc, "the condition", announcedBy(owner.node))
	c.segment.mu.Lock()
	defer c.segment.mu.Unlock()
	if n := hosts["a"].differences + hosts["b"].differences - before; n != 2 {
		c.t.Errorf("%d differences were told, want 2: the marker on each node", n)
	}
}

// A status that another load balancer left may hold a node's own address.
func testOwnAddress(c *cluster) {
	a := c.node("a")
	c.patchStatus(a, func() {
		a.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.7"}}
	})
	h := c.host("a")
	svc := c.service("web", addrs("192.0.2.7", "2001:db8::7"))
	h.awaitHeld(c.t, addrs("2001:db8::7")...)
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
	c.awaitHosts(hosts, vip, true, "b")
	if err := c.api.Delete(c.t.Context(), one); err != nil {
		c.t.Fatal(err)
	}
	c.awaitHosts(hosts, vip, true, "b", "c")
}

func testClass(c *cluster) {
	h := c.hosts("a")["a"]
	other, nobody := "example.com/other", func(svc *corev1.Service) { svc.Spec.LoadBalancerClass = nil }
	c.service("other", addrs("192.0.2.1"), func(svc *corev1.Service) { svc.Spec.LoadBalancerClass = &other })
	c.service("nobody", addrs("192.0.2.2"), nobody)
	c.service("ignored", addrs("192.0.2.3"), annotate("kube-vip.io/ignore", "true"))
	c.service("ours", addrs("192.0.2.4"))
	h.awaitHeld(c.t, addr("192.0.2.4"))
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
	h.awaitHeld(c.t, addr("192.0.2.1"))
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
	h.awaitHeld(c.t, addrs("192.0.2.2", "192.0.2.3", "192.0.2.4")...)
	c.patch(deleted, func() { deleted.Finalizers = nil })
	c.patch(retyped, func() {
		retyped.Spec.Type = corev1.ServiceTypeClusterIP
		retyped.Spec.LoadBalancerClass, retyped.Spec.AllocateLoadBalancerNodePorts = nil, nil
	})
	c.assign(emptied)
	h.awaitHeld(c.t, addr("192.0.2.4"))
}

func testInterfaces(c *cluster) {
	pools := c.configMap(map[string]string{"cidr-global": "192.0.2.0/24", "interface-global": "eth1"})
	h := c.hosts("a")["a"]
	on := func(text, iface string) {
		c.t.Helper()
		h.await(c.t, text+" on "+iface, func() bool {
			said, ok := h.said[addr(text)]
			return ok && said.Interface == iface
		}, func() any { return h.said })
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
	if h.said[addr("192.0.2.1")].Probe || !h.said[addr("192.0.2.3")].Probe {
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

// A stranger's address is nobody's to seize: a restart does not forget the
// conflict.
func testConflict(c *cluster) {
	c.node("a")
	h := c.announcer("a")
	vip := addr("192.0.2.1")
	h.change(func() {
		h.answer = func(announcer.Candidacy) announcer.Status {
			return announcer.Status{Address: vip, State: announcer.Conflict}
		}
	})
	h.start()
	svc := c.service("web", []netip.Addr{vip})
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonConflict, vip.String())
	h.stop()
	h.start()
	h.awaitExactly(c.t, vip)
	if said := h.said[vip]; !said.Probe {
		c.t.Errorf("the conflict is forgotten: %+v", said)
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
	c.awaitAll(hosts, all...)
	for svc := range services {
		addr := addr(svc.Status.LoadBalancer.Ingress[0].IP)
		c.awaitService(svc, "the condition of "+addr.String(), announcedBy(c.segment.ownerOf(c.t, addr).node))
	}
	for _, h := range hosts {
		h.stop()
		if most := int64(2 * len(h.owned())); h.writes.Load() > most {
			c.t.Errorf("%s wrote %d times, want at most a condition and an event for each of its %d", h.name, h.writes.Load(), most/2)
		}
	}
}
