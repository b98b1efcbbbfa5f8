package announcement

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// announcedBy says whether each address of a Service has a condition that names
// the node.
func announcedBy(node string) func(*corev1.Service) bool {
	return func(svc *corev1.Service) bool {
		for _, ingress := range svc.Status.LoadBalancer.Ingress {
			condition := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.AnnouncedCondition(addr(ingress.IP)))
			if condition == nil || condition.Status != metav1.ConditionTrue ||
				condition.Message != node+" answers for "+ingress.IP+" on eth0" {
				return false
			}
		}
		return len(svc.Status.LoadBalancer.Ingress) > 0
	}
}

// says waits for a condition on the IPv4 address.
func (c *cluster) awaitCondition(svc *corev1.Service, status metav1.ConditionStatus, reason, message string) {
	c.t.Helper()
	c.awaitService(svc, reason, func(svc *corev1.Service) bool {
		condition := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAnnouncedIPv4)
		return condition != nil && condition.Status == status && condition.Reason == reason &&
			strings.Contains(condition.Message, message)
	})
}

// becomes has the announcer say something else of an address.
func (h *host) becomes(status announcer.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.server.Report(status)
}

func testConditions(c *cluster) {
	hosts := c.hosts("a", "b")
	svc := c.service("web", addrs("192.0.2.1", "2001:db8::1"), local)
	endpoints := map[string]*discoveryv1.EndpointSlice{
		"4": c.endpoints(svc, discoveryv1.AddressTypeIPv4, ready("a")),
		"6": c.endpoints(svc, discoveryv1.AddressTypeIPv6, six("a")),
	}
	c.awaitService(svc, "both on a", announcedBy("a"))

	// A family each: two nodes write to one Service.
	c.patch(endpoints["6"], func() { endpoints["6"].Endpoints = []discoveryv1.Endpoint{six("b")} })
	c.awaitService(svc, "one on each", func(svc *corev1.Service) bool {
		four := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAnnouncedIPv4)
		six := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAnnouncedIPv6)
		return four != nil && strings.HasPrefix(four.Message, "a ") && six != nil && strings.HasPrefix(six.Message, "b ")
	})

	on := hosts["a"]
	on.becomes(announcer.Status{Address: addr("192.0.2.1"), State: announcer.OffLink})
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonOffLink, "interface on its link")
	mac := announcer.HardwareAddr{2, 0, 0, 0, 0, 9}
	on.becomes(announcer.Status{Address: addr("192.0.2.1"), State: announcer.Conflict, Stranger: mac})
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonConflict, "02:00:00:00:00:09")
	on.becomes(announcer.Status{
		Address: addr("192.0.2.1"), State: announcer.Announced, Interfaces: []string{"eth0", "eth1"}, Stranger: mac,
	})
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonContested, "a answers for 192.0.2.1 on eth0, eth1; so does the stranger 02:00:00:00:00:09")

	// Fail-over.
	c.patch(svc, func() { svc.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster })
	on.stop()
	on.stopAnnouncer()
	c.awaitService(svc, "both on b", announcedBy("b"))
}

// Of strangers that come and go there is soon no more to write for a while.
func testContests(c *cluster) {
	c.node("a")
	h := c.host("a")
	vip := addr("192.0.2.1")
	svc := c.service("web", []netip.Addr{vip})
	c.awaitService(svc, "the condition", announcedBy("a"))
	contested := func(by byte) string {
		mac := announcer.HardwareAddr{2, 0, 0, 0, 0, by}
		h.becomes(announcer.Status{Address: vip, State: announcer.Announced, Interfaces: []string{"eth0"}, Stranger: mac})
		return mac.String()
	}
	last := ""
	for by := range byte(contestBurst) {
		last = contested(by)
		c.awaitCondition(svc, metav1.ConditionTrue, ReasonContested, last)
	}
	contested(contestBurst)
	// What comes after is reported on after.
	after := c.service("after", addrs("192.0.2.2"))
	c.awaitService(after, "the condition", announcedBy("a"))
	c.awaitService(svc, "the Service", func(*corev1.Service) bool { return true })
	if now := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAnnouncedIPv4); !strings.HasSuffix(now.Message, last) {
		c.t.Errorf("%q was written, want %s to be the last", now.Message, last)
	}
	h.becomes(announcer.Status{Address: vip, State: announcer.OffLink})
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonOffLink, "interface on its link")
}

func six(node string) discoveryv1.Endpoint {
	e := ready(node)
	e.Addresses = []string{"2001:db8:244::1"}
	return e
}

func testNoEligibleNode(c *cluster) {
	a, b := c.node("a"), c.node("b")
	c.host("a")
	c.host("b")
	svc := c.service("web", addrs("192.0.2.1"), local)
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonNoEligibleNode, "usable endpoint")
	c.endpoints(svc, discoveryv1.AddressTypeIPv4, ready("b"))
	c.awaitService(svc, "b", announcedBy("b"))

	bad := c.service("bad", addrs("192.0.2.2"), annotate(loadbalancerInterface, "eth0, eth1"))
	c.awaitCondition(bad, metav1.ConditionFalse, ReasonInvalid, `"eth0, eth1"`)
	c.patch(bad, func() { delete(bad.Annotations, loadbalancerInterface) })
	c.awaitCondition(bad, metav1.ConditionTrue, ReasonAnnounced, "192.0.2.2")

	for _, n := range []*corev1.Node{a, b} {
		c.patch(n, func() { n.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: "yes"} })
	}
	c.awaitCondition(bad, metav1.ConditionFalse, ReasonNoEligibleNode, "no node may announce 192.0.2.2")
}

// A change of owner is told of with both names, and with its time.
func testOwnerChange(c *cluster) {
	hosts := c.hosts("a", "b")
	vip := addr("192.0.2.1")
	since := map[string]time.Time{"a": time.Unix(1_700_000_000, 0), "b": time.Unix(1_700_003_600, 0)}
	for name, h := range hosts {
		h.change(func() {
			h.answer = func(announcer.Candidacy) announcer.Status {
				return announcer.Status{Address: vip, State: announcer.Announced, Interfaces: []string{"eth0"}, Since: since[name]}
			}
		})
	}
	svc := c.service("owned", []netip.Addr{vip})
	first := c.segment.ownerOf(c.t, vip).node
	second := map[string]string{"a": "b", "b": "a"}[first]
	owned := func(by string) {
		c.t.Helper()
		c.awaitService(svc, "the owner "+by, announcedBy(by))
		owner, _ := loadbalancer.OwnerOf(svc, vip)
		if owner.Node != by || !owner.Since.Equal(since[by]) || !slices.Equal(owner.Interfaces, []string{"eth0"}) {
			c.t.Errorf("the owner is %+v, want %s since %v", owner, by, since[by])
		}
	}
	owned(first)
	// What else changes does not change the time.
	hosts[first].becomes(announcer.Status{
		Address: vip, State: announcer.Announced, Owner: first, Interfaces: []string{"eth0"}, Since: time.Now(), Stranger: announcer.HardwareAddr{2, 0, 0, 0, 0, 9},
	})
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonContested, first)
	if owner, _ := loadbalancer.OwnerOf(svc, vip); !owner.Since.Equal(since[first]) {
		c.t.Errorf("contested, and %+v since then", owner)
	}
	hosts[first].stopAnnouncer()
	owned(second)
	c.awaitEvent(svc, corev1.EventTypeNormal, "OwnerChanged", second+" answers for 192.0.2.1 on eth0, before it "+first)
}

// Of an address that nobody owns one node tells.
func testUnowned(c *cluster) {
	vip := addr("192.0.2.1")
	c.segment.change(func() { c.segment.offLink[vip] = true })
	hosts := c.hosts("a", "b", "c")
	svc := c.service("unowned", []netip.Addr{vip})
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonOffLink, vip.String())
	c.awaitEvent(svc, corev1.EventTypeWarning, "AddressOffLink", vip.String())
	writes := int64(0)
	for _, h := range hosts {
		writes += h.writes.Load()
	}
	if writes != 2 {
		c.t.Errorf("%d writes, want 2: a condition and an event", writes)
	}
	c.segment.change(func() {
		delete(c.segment.offLink, vip)
		c.segment.settle(vip)
	})
	c.awaitService(svc, "the owner", announcedBy(c.segment.ownerOf(c.t, vip).node))
}

func testSharedConditions(c *cluster) {
	c.node("a")
	c.host("a")
	one, two := c.service("one", addrs("192.0.2.1")), c.service("two", addrs("192.0.2.1"))
	c.awaitService(one, "its condition", announcedBy("a"))
	c.awaitService(two, "its condition", announcedBy("a"))
}

func testEvents(c *cluster) {
	c.node("node-1")
	h := c.host("node-1")
	svc := c.service("evented-"+strings.ReplaceAll(c.pools.Name, "pools-", ""), addrs("192.0.2.1"))
	c.awaitEvent(svc, corev1.EventTypeNormal, "AddressAnnounced", "node-1 answers for 192.0.2.1 on eth0")
	h.becomes(announcer.Status{Address: addr("192.0.2.1"), State: announcer.OffLink})
	c.awaitEvent(svc, corev1.EventTypeWarning, "AddressOffLink", "192.0.2.1")
	mac := announcer.HardwareAddr{2, 0, 0, 0, 0, 9}
	h.becomes(announcer.Status{Address: addr("192.0.2.1"), State: announcer.Conflict, Stranger: mac})
	c.awaitEvent(svc, corev1.EventTypeWarning, "AddressConflict", "02:00:00:00:00:09")
}

// awaitEvent waits for an event on svc.
func (c *cluster) awaitEvent(svc *corev1.Service, kind, reason, note string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	watch, err := c.api.Watch(ctx, &eventsv1.EventList{}, client.InNamespace(svc.Namespace))
	if err != nil {
		c.t.Fatal(err)
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		e, ok := event.Object.(*eventsv1.Event)
		if ok && e.Regarding.UID == svc.UID && e.Type == kind && e.Reason == reason && strings.Contains(e.Note, note) {
			return
		}
	}
	c.t.Fatalf("waited in vain for event %s %s %q", kind, reason, note)
}
