package announcement

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bgp"
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// Every node tells the router, of both families; the announcers are told nothing, and
// one node says so in the condition.
func testAdvertise(c *cluster) {
	r := newRouter(c.t)
	c.configMap(r.byBGP())
	hosts := c.bgpHosts(r, 1, 2)
	svc := c.service("web", addrs("198.51.100.1", "2001:db8:f::1"))
	r.awaitTold("198.51.100.1/32", 1, 2)
	r.awaitTold("2001:db8:f::1/128", 1, 2)
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, " tells rtr of 198.51.100.1; every eligible node does alike")
	c.awaitEvent(svc, corev1.EventTypeNormal, "AddressAdvertised", "tells rtr of 198.51.100.1")
	r.mu.Lock()
	for n := 1; n <= 2; n++ {
		path := r.paths[netip.MustParsePrefix("2001:db8:f::1/128")][endOf(n)]
		hop := ""
		for _, a := range path.Attrs {
			if reach, is := a.(*packet.PathAttributeMpReachNLRI); is {
				hop = reach.Nexthop.String()
			}
		}
		if want := fmt.Sprintf("2001:db8::%d", 10+n); hop != want {
			c.t.Errorf("the next hop by node %d is %q, want the Node's own %s", n, hop, want)
		}
	}
	r.mu.Unlock()
	for n, h := range hosts {
		h.awaitHeld(c.t)
		h.awaitNodeEvent(n, "BGPSessionUp", "the BGP session with rtr (127.0.7.1, AS 65010) is up")
		h.awaitMetric("herald_bgp_session_up", 1)
		h.awaitMetric("herald_bgp_prefixes_advertised", 2)
	}

	// Another address, and then none.
	c.assign(svc, addrs("198.51.100.2", "2001:db8:f::1")...)
	r.awaitTold("198.51.100.2/32", 1, 2)
	r.awaitTold("198.51.100.1/32")
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "198.51.100.2")
	if err := c.api.Delete(c.t.Context(), svc); err != nil {
		c.t.Fatal(err)
	}
	r.awaitTold("198.51.100.2/32")
	r.awaitTold("2001:db8:f::1/128")
	if r.losses(1)+r.losses(2) > 0 {
		c.t.Error("sessions were lost meanwhile")
	}
}

// Under externalTrafficPolicy Local those nodes tell that have an endpoint.
func testAdvertiseLocal(c *cluster) {
	r := newRouter(c.t)
	c.configMap(r.byBGP())
	c.bgpHosts(r, 1, 2)
	svc := c.service("web", addrs("198.51.100.1"), local)
	slice := c.endpoints(svc, discoveryv1.AddressTypeIPv4, ready(nodeName(1)))
	const prefix = "198.51.100.1/32"
	r.awaitTold(prefix, 1)
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "node-1 tells")
	c.patch(slice, func() { slice.Endpoints = []discoveryv1.Endpoint{ready(nodeName(1)), ready(nodeName(2))} })
	r.awaitTold(prefix, 1, 2)
	c.patch(slice, func() { slice.Endpoints = []discoveryv1.Endpoint{draining(nodeName(1)), ready(nodeName(2))} })
	r.awaitTold(prefix, 2)
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "node-2 tells")
	c.patch(slice, func() { slice.Endpoints = nil })
	r.awaitTold(prefix)
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonNoEligibleNode, "externalTrafficPolicy is Local")
	c.patch(svc, func() { svc.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster })
	r.awaitTold(prefix, 1, 2)
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "198.51.100.1")
}

// How an address is announced follows its pool; bad pools change nothing.
func testAnnounceWays(c *cluster) {
	r := newRouter(c.t)
	pools := c.configMap(map[string]string{"cidr-global": "198.51.100.0/24"})
	h := c.bgpHosts(r, 1)[1]
	vip, outside := addr("198.51.100.1"), addr("203.0.113.1")
	svc := c.service("web", addrs("198.51.100.1"))
	c.service("outside", []netip.Addr{outside})
	ways := func(l2 bool, bgp ...int) {
		c.t.Helper()
		r.awaitTold("198.51.100.1/32", bgp...)
		r.awaitTold("203.0.113.1/32", bgp...) // it left its pool
		if l2 {
			h.awaitExactly(c.t, vip, outside)
		} else {
			h.awaitHeld(c.t)
		}
	}
	ways(true)
	c.awaitService(svc, "the condition of layer 2", announcedBy(nodeName(1)))
	set := func(announce string) {
		c.t.Helper()
		c.patch(pools, func() { pools.Data["announce-global"], pools.Data["bgp.yaml"] = announce, r.yaml("", "") })
	}
	set("l2,bgp")
	ways(true, 1)
	c.awaitService(svc, "the condition of layer 2", announcedBy(nodeName(1)))
	set("bgp")
	ways(false, 1)
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "node-1 tells rtr")
	set("arp")
	// That it was read shows in what comes after.
	c.service("marker", addrs("198.51.100.2"))
	r.awaitTold("198.51.100.2/32", 1)
	r.awaitTold("198.51.100.1/32", 1)
	c.patch(pools, func() {
		delete(pools.Data, "bgp.yaml")
		pools.Data["announce-global"] = "l2"
	})
	r.awaitTold("198.51.100.1/32")
	h.awaitExactly(c.t, vip, outside, addr("198.51.100.2"))
	c.awaitService(svc, "the condition of layer 2 again", announcedBy(nodeName(1)))
	r.await("the end of the session", func() bool { return r.ended[endOf(1)] == 1 })
}

// Advertisements select by pool and labels, which may change.
func testAdvertisements(c *cluster) {
	r := newRouter(c.t)
	data := r.byBGP()
	data["bgp.yaml"] = r.yaml("", `advertisements:
  - name: gold
    serviceSelector: {matchLabels: {tier: gold}}
    communities: ["65000:1"]
  - name: wide
    aggregationLength: {ipv4: 24, ipv6: 64}
    serviceSelector: {matchLabels: {tier: bulk}}
`)
	pools := c.configMap(data)
	h := c.bgpHosts(r, 1)[1]
	svc := c.service("web", addrs("198.51.100.1"))
	bulk := c.service("bulk", addrs("198.51.100.7"), labelled("bulk"))
	r.awaitTold("198.51.100.0/24", 1)
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonNotSelected, "node-1 has nobody to tell of 198.51.100.1")
	c.awaitCondition(bulk, metav1.ConditionTrue, ReasonAdvertised, "node-1 tells rtr of 198.51.100.7")
	c.patch(svc, func() { svc.Labels = map[string]string{"tier": "gold"} })
	r.awaitTold("198.51.100.1/32", 1)
	r.awaitTold("198.51.100.7/32")
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "198.51.100.1")
	c.patch(svc, func() { svc.Labels = nil })
	r.awaitTold("198.51.100.1/32")

	// Nothing at all is told: that is an event.
	c.patch(bulk, func() { bulk.Labels = nil })
	r.awaitTold("198.51.100.0/24")
	h.awaitNodeEvent(1, advertisement.EventNothingSelected, "none of 2 addresses is advertised")
	c.patch(pools, func() { pools.Data["bgp.yaml"] = r.yaml("    nodeSelector: {matchLabels: {rack: r7}}", "") })
	h.awaitNodeEvent(1, advertisement.EventNothingSelected, "no peer of bgp.yaml selects this node")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName(1)}}
	c.patch(node, func() { node.Labels = map[string]string{"rack": "r7"} })
	r.awaitTold("198.51.100.1/32", 1)
}

func labelled(tier string) func(*corev1.Service) {
	return func(svc *corev1.Service) { svc.Labels = map[string]string{"tier": tier} }
}

// A node that is kept out, or leaves, tells no more; what its annotations get wrong
// changes nothing, and is said.
func testAdvertisingNodes(c *cluster) {
	r := newRouter(c.t)
	c.configMap(r.byBGP())
	hosts := c.bgpHosts(r, 1, 2)
	c.service("web", addrs("198.51.100.1"))
	const prefix = "198.51.100.1/32"
	r.awaitTold(prefix, 1, 2)
	one := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName(1)}}
	if err := c.api.Get(c.t.Context(), client.ObjectKeyFromObject(one), one); err != nil {
		c.t.Fatal(err)
	}
	c.patch(one, func() { one.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: ""} })
	r.awaitTold(prefix, 2)
	c.patch(one, func() { delete(one.Labels, corev1.LabelNodeExcludeBalancers) })
	r.awaitTold(prefix, 1, 2)
	c.patch(one, func() { one.Annotations["heraldlb.io/bgp-router-id"] = "224.0.0.1" })
	hosts[1].awaitNodeEvent(1, advertisement.EventConfigInvalid, "heraldlb.io/bgp-router-id")
	c.patch(one, func() { one.Finalizers = []string{"test.heraldlb.io/hold"} })
	if err := c.api.Delete(c.t.Context(), one); err != nil {
		c.t.Fatal(err)
	}
	r.awaitTold(prefix, 2)
	if r.losses(1) > 0 {
		c.t.Error("its session was lost")
	}
	c.patch(one, func() { one.Finalizers = nil })
}

// A password comes from the Secret; without it there is no session, and with a wrong one
// neither.
func testPasswords(c *cluster) {
	r := newRouter(c.t)
	data := r.byBGP()
	data["bgp.yaml"] = r.yaml("    passwordKey: rtr", "")
	c.configMap(data)
	c.bgpNode(1)
	r.neighbor(1, "right")
	h := c.host(nodeName(1))
	svc := c.service("web", addrs("198.51.100.1"))
	const absent = "its password is not known: there is no Secret default/herald-bgp"
	h.awaitSession("no password", func(s advertisement.Session) bool { return strings.Contains(s.Reason, absent) })
	h.awaitNodeEvent(1, advertisement.EventSessionDown, absent)
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonNoSession, "node-1 has no session with rtr to tell of 198.51.100.1")

	name := c.secret()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}, StringData: map[string]string{"other": "x"}}
	c.create(secret)
	h.awaitSession("no key", func(s advertisement.Session) bool {
		return strings.Contains(s.Reason, `Secret default/herald-bgp has no key "rtr"`)
	})
	give := func(password string) {
		c.t.Helper()
		c.patch(secret, func() { secret.StringData = nil; secret.Data = map[string][]byte{"rtr": []byte(password)} })
	}
	give("wrong")
	h.awaitSession("another reason", func(s advertisement.Session) bool {
		return s.State != bgp.Established && s.Reason != "" && !strings.Contains(s.Reason, "not known")
	})
	give("right\n")
	r.awaitTold("198.51.100.1/32", 1)
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "node-1 tells rtr")
	give("wrong")
	r.awaitTold("198.51.100.1/32")
}

// An agent that ends has the routers forget first; one that starts tells all at once.
func testAdvertisingRestart(c *cluster) {
	r := newRouter(c.t)
	c.configMap(r.byBGP())
	hosts := c.bgpHosts(r, 1, 2)
	svc := c.service("web", addrs("198.51.100.1"))
	r.awaitTold("198.51.100.1/32", 1, 2)
	c.awaitCondition(svc, metav1.ConditionTrue, ReasonAdvertised, "198.51.100.1")
	hosts[1].stop()
	r.await("the withdrawal", func() bool { return slices.Equal(r.told()["198.51.100.1/32"], []int{2}) })
	for _, h := range hosts {
		h.patches.Store(0)
	}
	hosts[1].start()
	r.awaitTold("198.51.100.1/32", 1, 2)
	hosts[1].awaitNodeEvent(1, advertisement.EventSessionUp, "is up")
	hosts[1].stop()
	hosts[2].stop()
	r.awaitTold("198.51.100.1/32")
	// Events are made of it, but nobody has anything to say of the address.
	if one, two := hosts[1].patches.Load(), hosts[2].patches.Load(); one+two > 0 {
		c.t.Errorf("%d writes to the status by the one that started again, %d by the other", one, two)
	}
}

// The API server being away changes nothing.
func testAdvertisingAlone(c *cluster) {
	r := newRouter(c.t)
	c.configMap(r.byBGP())
	c.bgpNode(1)
	r.neighbor(1, "")
	h := c.announcer(nodeName(1))
	server, err := url.Parse(c.config.Host)
	if err != nil {
		c.t.Fatal(err)
	}
	door := newDoorway(c.t, server.Host)
	h.api = throughDoor(h.api, door)
	h.start()
	first := c.service("first", addrs("198.51.100.1"))
	r.awaitTold("198.51.100.1/32", 1)
	door.set(true)
	if err := c.api.Delete(c.t.Context(), first); err != nil {
		c.t.Fatal(err)
	}
	c.service("second", addrs("198.51.100.2"))
	door.await(c.t)
	poll(c.t, "the loss to be noted", func() bool { return !h.contact.there() })
	r.awaitTold("198.51.100.1/32", 1)
	door.set(false)
	r.awaitTold("198.51.100.2/32", 1)
	r.awaitTold("198.51.100.1/32")
	if r.losses(1) > 0 {
		c.t.Error("the session was lost")
	}
}

// A path that BFD loses ends the session; one that is put out of service does not.
func testAdvertisingBFD(c *cluster) {
	r := newRouter(c.t)
	data := r.byBGP()
	// No announcer watches a loopback address; that keeps none from watching the other.
	const other = "  - {name: other, address: 192.0.2.254, asn: 65011, bfd: true, connectTime: 1h}\n" +
		"  - {name: unnumbered, interface: nowhere0, asn: 65012, connectTime: 1h}\n"
	data["bgp.yaml"] = r.yaml("    bfd: {interval: 50ms, multiplier: 3}\n    sourceAddress: "+endOf(1).String(), other)
	c.configMap(data)
	c.node(nodeName(1))
	r.neighbor(1, "")
	h := c.host(nodeName(1))
	c.service("web", addrs("198.51.100.1"))
	r.awaitTold("198.51.100.1/32", 1)
	h.awaitFacts(c, "what router to watch", func(f announcer.Facts) bool {
		return len(f.BFD) == 1 && f.BFD[0].Address == addr("192.0.2.254") && f.BFD[0].Multiplier == 3
	})
	h.awaitFacts(c, "where to be known", func(f announcer.Facts) bool { return slices.Equal(f.Unnumbered, []string{"nowhere0"}) })
	see := func(state announcer.BFDState) {
		c.t.Helper()
		h.see(func(v *announcer.View) {
			v.BFD = []announcer.BFDStatus{{Address: r.addr, State: state, Diagnostic: "Control Detection Time Expired"}}
		})
		h.awaitSession(string(state), func(s advertisement.Session) bool { return s.BFD != nil && s.BFD.State == state })
	}
	see(announcer.BFDDown) // it was never up: the router speaks no BFD yet
	see(announcer.BFDUp)
	see(announcer.BFDAdminDown)
	see(announcer.BFDUp)
	if r.losses(1) > 0 {
		c.t.Fatal("the session was lost")
	}
	see(announcer.BFDDown)
	r.await("the session to end", func() bool { return r.ended[endOf(1)] == 1 })
	h.awaitNodeEvent(1, advertisement.EventSessionDown, "Control Detection Time Expired")
	r.awaitTold("198.51.100.1/32", 1) // it comes up anew, though BFD is down
}

// The one who spoke of an address loses its router: another speaks.
func testSpokesmen(c *cluster) {
	r := newRouter(c.t)
	c.configMap(r.byBGP())
	c.bgpHosts(r, 1, 2)
	svc := c.service("web", addrs("198.51.100.1"))
	r.awaitTold("198.51.100.1/32", 1, 2)
	speaker := 0
	c.awaitService(svc, "a spokesman", func(svc *corev1.Service) bool {
		for n := 1; n <= 2; n++ {
			if spokenBy(svc, nodeName(n)) {
				speaker = n
			}
		}
		return speaker > 0
	})
	r.refuse(speaker)
	c.awaitService(svc, "the other node to speak", func(svc *corev1.Service) bool { return spokenBy(svc, nodeName(3-speaker)) })
}

func spokenBy(svc *corev1.Service, node string) bool {
	return strings.Contains(conditionOf(svc).Message, "advertised by BGP: "+node+" tells rtr of 198.51.100.1") &&
		conditionOf(svc).Status == metav1.ConditionTrue
}

// Many at once are few plans, and arrive.
func testAdvertisingBurst(c *cluster) {
	r := newRouter(c.t)
	c.configMap(map[string]string{"cidr-global": "10.9.0.0/16", "announce-global": "bgp", "bgp.yaml": r.yaml("", "")})
	h := c.bgpHosts(r, 1)[1]
	var all []netip.Addr
	for next := addr("10.9.0.1"); len(all) < 300; next = next.Next() {
		all = append(all, next)
	}
	var writers sync.WaitGroup
	for part := range slices.Chunk(all, 50) {
		writers.Go(func() {
			for _, addr := range part {
				c.service("web-"+strings.ReplaceAll(addr.String(), ".", "-"), []netip.Addr{addr})
			}
		})
	}
	writers.Wait()
	r.await("all", func() bool { return len(r.told()) == len(all) })
	h.awaitMetric("herald_bgp_prefixes_advertised", 300)
}

// awaitSession waits until the agent reports its session with the router so. A report
// gives no event, so it polls.
func (h *host) awaitSession(what string, ok func(advertisement.Session) bool) {
	h.c.t.Helper()
	poll(h.c.t, "the session of "+h.name+": "+what, func() bool {
		for _, s := range h.routers.Report().Sessions {
			if s.Peer == "rtr" {
				return ok(s)
			}
		}
		return false
	})
}

// awaitMetric waits until the agent exposes a value of one series. A registry gives no
// event, so it polls.
func (h *host) awaitMetric(name string, value float64) {
	h.c.t.Helper()
	poll(h.c.t, fmt.Sprint(name, " to be ", value), func() bool {
		families, err := h.registry.Gather()
		if err != nil {
			h.c.t.Fatal(err)
		}
		for _, family := range families {
			if family.GetName() == name {
				m := family.GetMetric()
				return len(m) == 1 && max(m[0].GetGauge().GetValue(), m[0].GetCounter().GetValue()) == value
			}
		}
		return false
	})
}

// awaitNodeEvent waits until there is an event on the Node of number n.
func (h *host) awaitNodeEvent(n int, reason, note string) {
	h.c.t.Helper()
	node := new(corev1.Node)
	if err := h.c.api.Get(h.c.t.Context(), client.ObjectKey{Name: nodeName(n)}, node); err != nil {
		h.c.t.Fatal(err)
	}
	h.awaitEventOn(node, reason, note)
}

// awaitEventOn waits until there is an event on a Node.
func (h *host) awaitEventOn(node *corev1.Node, reason, note string) {
	h.c.t.Helper()
	ctx, cancel := context.WithTimeout(h.c.t.Context(), patience)
	defer cancel()
	watch, err := h.c.api.Watch(ctx, &eventsv1.EventList{})
	if err != nil {
		h.c.t.Fatal(err)
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		e, ok := event.Object.(*eventsv1.Event)
		if ok && e.Regarding.UID == node.UID && e.Regarding.Kind == "Node" && e.Reason == reason && strings.Contains(e.Note, note) {
			return
		}
	}
	h.c.t.Fatalf("waited in vain for event %s %q of %s", reason, note, node.Name)
}

// conditionOf is what a Service's status says of its IPv4 address.
func conditionOf(svc *corev1.Service) metav1.Condition {
	if condition := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAnnouncedIPv4); condition != nil {
		return *condition
	}
	return metav1.Condition{}
}
