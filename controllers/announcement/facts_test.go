package announcement

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/announcer"
)

// awaitFacts waits until the announcer was told of facts that are ok.
func (h *host) awaitFacts(c *cluster, what string, ok func(announcer.Facts) bool) {
	c.t.Helper()
	h.await(c.t, h.name+" to be told: "+what, func() bool { return ok(h.facts) }, func() any { return h.facts })
}

func testFacts(c *cluster) {
	c.node("a")
	h := c.announcer("a")
	h.launch()
	var system corev1.Namespace
	if err := c.api.Get(c.t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, &system); err != nil {
		c.t.Fatal(err)
	}
	h.await(c.t, "a snapshot", func() bool { return h.snapshots > 0 }, nil)
	// They come before the snapshot.
	h.awaitFacts(c, "the cluster", func(f announcer.Facts) bool {
		return f.Cluster == string(system.UID) && f.Nodes == 1 && len(f.Peers) == 0 && !f.Excluded && !f.CutOff
	})
	b := c.node("b")
	c.patchStatus(b, func() {
		b.Status.Addresses = []corev1.NodeAddress{
			{Type: corev1.NodeHostName, Address: "b"},
			{Type: corev1.NodeInternalIP, Address: "2001:db8::b"},
			{Type: corev1.NodeInternalIP, Address: "192.0.2.11"},
			{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}, // of which nothing comes
			{Type: corev1.NodeExternalIP, Address: "198.51.100.1"},
		}
	})
	h.awaitFacts(c, "the other node", func(f announcer.Facts) bool {
		return f.Nodes == 2 && slices.Equal(f.Peers, []netip.Addr{addr("192.0.2.11"), addr("2001:db8::b")})
	})
}

func testRebalance(c *cluster) {
	pools := c.configMap(map[string]string{"cidr-global": "192.0.2.0/24"})
	c.node("a")
	h := c.announcer("a")
	ask := func(word string) {
		c.patch(pools, func() { pools.Annotations = map[string]string{AnnotationRebalance: word} })
	}
	told := func(word string) {
		c.t.Helper()
		h.awaitFacts(c, "rebalance "+word, func(f announcer.Facts) bool { return f.Rebalance == word })
	}
	// Also a word of the moment in which the agent starts is not missed.
	h.launch()
	word := ""
	timeout := time.Now().Add(patience)
	for started, i := false, 0; !started; i++ {
		if time.Now().After(timeout) {
			c.t.Fatal("waited in vain for a snapshot")
		}
		word = fmt.Sprint("start ", i)
		ask(word)
		h.mu.Lock()
		started = h.snapshots > 0
		h.mu.Unlock()
	}
	told(word)
	ask("one")
	told("one")
	// A word that is none is refused, and takes nothing else with it.
	ask(strings.Repeat("x", 300))
	c.node("b")
	h.awaitFacts(c, "another node", func(f announcer.Facts) bool { return f.Nodes == 2 && f.Rebalance == "one" })
	ask("two")
	told("two")

	core, err := corev1client.NewForConfig(c.config)
	if err != nil {
		c.t.Fatal(err)
	}
	for range 2 { // each a word of its own
		word, err := Rebalance(c.t.Context(), core, c.pools)
		if err != nil {
			c.t.Fatal(err)
		}
		told(word)
	}
	nowhere := types.NamespacedName{Namespace: "default", Name: "nowhere"}
	if _, err := Rebalance(c.t.Context(), core, nowhere); err == nil || !strings.Contains(err.Error(), nowhere.String()) {
		c.t.Errorf("the error %v does not name %s", err, nowhere)
	}
}

// A node that hears nobody tries the API server, and no other does.
func testCutOff(c *cluster) {
	c.node("a")
	h := c.announcer("a")
	server, err := url.Parse(c.config.Host)
	if err != nil {
		c.t.Fatal(err)
	}
	door := newDoorway(c.t, server.Host)
	h.api = throughDoor(h.api, door)
	h.start()
	cutOff := func(want bool) {
		c.t.Helper()
		h.awaitFacts(c, "cut off or not", func(f announcer.Facts) bool { return f.CutOff == want })
	}
	if n := h.tries.Load(); n != 0 {
		c.t.Errorf("%d tries of a node that is not alone", n)
	}
	h.see(func(v *announcer.View) { v.Alone = true })
	poll(c.t, "a try", func() bool { return h.tries.Load() > 0 })
	if view, ok := h.latest.Get(); !ok || !view.Alone {
		c.t.Errorf("the latest view is %+v", view)
	}
	cutOff(false)
	door.set(true)
	cutOff(true)
	door.set(false)
	cutOff(false)
	door.set(true)
	cutOff(true)
	// Somebody is heard: that is enough.
	h.see(func(v *announcer.View) { v.Alone = false })
	cutOff(false)
	door.set(false)
}
