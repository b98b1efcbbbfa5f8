package portmapping

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/upnp/upnptest"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/internal/apiserver"
)

func TestMain(m *testing.M) { l2test.Main(m) }

const (
	address  = upnptest.ServiceAddress
	outside  = upnptest.ExternalAddress
	line     = "80->" + address + ":80"
	allowAll = "allow 1-65535 192.0.2.0/24 1-65535"
)

// One API server serves all tests, one after the other.
func TestPortMapping(t *testing.T) {
	elsewhere(t)
	config := apiserver.Start(t)
	for name, test := range map[string]func(*world){
		"mapped until it is deleted":      testMapped,
		"the owner changes":               testOwnerChange,
		"an agent ends, another succeeds": testSuccession,
		"the last agent ends":             testLast,
		"only the agent ends":             testAgentAlone,
		"the annotation goes":             testAnnotationGoes,
		"a port that is somebody else's":  testConflict,
		"two Services for one port":       testClash,
		"no gateway":                      testNoGateway,
	} {
		t.Run(name, func(t *testing.T) { test(newWorld(t, config)) })
	}
}

// elsewhere gives the test's namespace a default route that comes after a home's: an API
// server does not start without one.
func elsewhere(t *testing.T) {
	here := l2test.Here(t)
	l2test.Cable(t, here, "up0", l2test.NewHost(t), "eth0")
	here.Address(t, "up0", "198.18.0.2/24")
	route := &netlink.Route{LinkIndex: here.Link(t, "up0").Attrs().Index, Gw: netip.MustParseAddr("198.18.0.1").AsSlice(), Priority: 1000}
	if err := here.RouteAdd(route); err != nil {
		t.Fatal(err)
	}
}

func testMapped(w *world) {
	w.Start(w.t, allowAll)
	a := w.agent("a")
	svc := w.expose("web", address, corev1.ServicePort{Name: "web", Port: 80}, corev1.ServicePort{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP})
	w.own(address, "a")
	w.awaitExternal(svc, outside+":53/UDP,"+outside+":80/TCP")
	w.awaitEvent(svc, eventMapped, "reached from outside the gateway at "+outside+":53/UDP, "+outside+":80/TCP")
	w.awaitTable(has(line))

	writes := a.writes.Load()
	a.notify() // whatever it hears, it has nothing to write
	w.own("192.0.2.77", "b")
	if err := w.api.Delete(w.t.Context(), svc); err != nil {
		w.t.Fatal(err)
	}
	w.awaitTable(hasNot(address))
	if now := a.writes.Load(); now != writes {
		w.t.Errorf("%d writes in steady state", now-writes)
	}
}

func testOwnerChange(w *world) {
	w.Start(w.t, allowAll)
	w.agent("a")
	b := w.agent("b")
	svc := w.expose("web", address)
	w.own(address, "a")
	w.awaitExternal(svc, outside+":80/TCP")
	w.own(address, "b")
	// It is told nothing new, so nothing is written; and the mapping stays.
	w.awaitTable(func(table string) bool { return b.mapped() && strings.Contains(table, line) })
	if writes := b.writes.Load(); writes != 0 {
		w.t.Errorf("the new owner wrote %d times what was written already", writes)
	}
	if err := w.api.Delete(w.t.Context(), svc); err != nil {
		w.t.Fatal(err)
	}
	w.awaitTable(hasNot(address))
}

func testSuccession(w *world) {
	w.Start(w.t, allowAll)
	a := w.agent("a")
	w.agent("b")
	svc := w.expose("web", address)
	w.own(address, "a")
	w.awaitExternal(svc, outside+":80/TCP")
	ended := make(chan struct{})
	go func() { defer close(ended); a.stop() }()
	w.own(address, "b")
	<-ended
	if table := w.Table(w.t); !strings.Contains(table, line) {
		w.t.Errorf("not mapped after the old owner has ended:\n%s", table)
	}
}

func testLast(w *world) {
	w.Start(w.t, allowAll)
	a := w.agent("a")
	svc := w.expose("web", address)
	w.own(address, "a")
	w.awaitExternal(svc, outside+":80/TCP")
	ended := make(chan struct{})
	go func() { defer close(ended); a.stop() }()
	w.own(address, "")
	<-ended
	if table := w.Table(w.t); strings.Contains(table, address) {
		w.t.Errorf("left behind:\n%s", table)
	}
}

func testAgentAlone(w *world) {
	w.Start(w.t, allowAll)
	a := w.agent("a")
	svc := w.expose("web", address)
	w.own(address, "a")
	w.awaitExternal(svc, outside+":80/TCP")
	start := time.Now()
	a.stop() // its announcer goes on
	if took := time.Since(start); took > successionWait+removalWait {
		w.t.Errorf("it took %v to end", took)
	}
	if table := w.Table(w.t); !strings.Contains(table, line) {
		w.t.Errorf("not mapped any more:\n%s", table)
	}
}

func testAnnotationGoes(w *world) {
	w.Start(w.t, allowAll)
	w.agent("a")
	svc := w.expose("web", address)
	w.own(address, "a")
	w.awaitExternal(svc, outside+":80/TCP")
	base := svc.DeepCopy()
	delete(svc.Annotations, loadbalancer.AnnotationUPnP)
	if err := w.api.Patch(w.t.Context(), svc, client.MergeFrom(base)); err != nil {
		w.t.Fatal(err)
	}
	w.awaitExternal(svc, "")
	w.awaitTable(hasNot(address))
}

func testConflict(w *world) {
	w.Start(w.t, allowAll)
	w.Client(w.t, "-e", "somebody's", "-a", upnptest.NodeAddress, "80", "80", "TCP", "600")
	w.agent("a")
	svc := w.expose("web", address)
	w.own(address, "a")
	w.awaitEvent(svc, eventConflict, "passes 80/TCP on to "+upnptest.NodeAddress+":80 already")
	if table := w.Table(w.t); !strings.Contains(table, "80->"+upnptest.NodeAddress+":80") {
		w.t.Errorf("overwritten:\n%s", table)
	}
	w.Client(w.t, "-d", "80", "TCP")
	w.awaitExternal(svc, outside+":80/TCP")
}

func testClash(w *world) {
	w.Start(w.t, allowAll)
	w.agent("a")
	w.agent("b")
	first := w.expose("zebra", address)
	w.own(address, "a")
	w.awaitExternal(first, outside+":80/TCP")
	second := w.expose("ant", "192.0.2.201")
	w.own("192.0.2.201", "b")
	w.awaitEvent(second, eventConflict, "the Service default/zebra has the external port 80/TCP of the gateway")
	if err := w.api.Delete(w.t.Context(), first); err != nil {
		w.t.Fatal(err)
	}
	w.awaitExternal(second, outside+":80/TCP")
	w.awaitTable(has("80->192.0.2.201:80"))
}

func testNoGateway(w *world) {
	w.agent("a")
	svc := w.expose("web", address)
	w.own(address, "a")
	w.awaitEvent(svc, eventNoGateway, "gateway "+upnptest.GatewayAddress+": it does not answer a search")
	w.Start(w.t, allowAll)
	w.awaitExternal(svc, outside+":80/TCP")
}
