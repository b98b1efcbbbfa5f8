package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/suite/router"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

// The autonomous systems of testdata.
const nodesAS, routerAS = 64513, 64514

// The namespaces of testdata: of MetalLB's pools for all, for one namespace, and of the one
// that is told a router.
const shop, team, routed = "shop", "team", "routed"

var _ = Describe("docs/migrate-from-metallb.md", func() {
	It("moves all addresses to Herald, back to MetalLB, and to Herald for good", func(ctx SpecContext) {
		sh := newShell(ctx)
		docs, err := readPage("../../docs/migrate-from-metallb.md")
		Expect(err).NotTo(HaveOccurred())
		manifest := sh.file("metallb-native.yaml")
		block := func(name string, n int) string {
			GinkgoHelper()
			text, err := docs.block(name, n, "YOUR-METALLB-MANIFEST", manifest)
			Expect(err).NotTo(HaveOccurred())
			return text
		}
		m := install(ctx, sh, manifest)
		m.await(ctx, nil)

		sh.run(ctx, block("Write down", 0))
		sh.runAll(ctx, block("Convert", 0)) // what it leaves out makes it fail
		Expect(filepath.Join(sh.directory, "pools.yaml")).To(BeARegularFile())

		move := func(how string, forgetful bool) {
			GinkgoHelper()
			speakers := m.responders(ctx)
			m.measure(ctx, how, forgetful, func() {
				sh.run(ctx, block("Stop MetalLB's controller", 0))
				capture, since := stage.Capture(ctx), time.Now()
				sh.run(ctx, block("Install Herald", 0))
				m.conflicts(ctx, speakers, capture, since)
				sh.run(ctx, block("Stop the speakers", 0))
				m.await(ctx, scene.Announcer)
			})
			Expect(sh.run(ctx, block("Check", 0))).NotTo(BeEmpty())
		}
		move("to Herald", false)
		m.measure(ctx, "back to MetalLB", true, func() {
			sh.run(ctx, block("The way back", 0))
			m.await(ctx, nil)
		})
		sh.run(ctx, block("The way back", 1))
		for _, service := range services(ctx, Default) {
			Expect(service.Finalizers).To(BeEmpty(), key(&service))
			Expect(service.Status.Conditions).To(BeEmpty(), key(&service))
		}
		move("to Herald again", true)

		m.measure(ctx, "while MetalLB is removed", true, func() {
			sh.run(ctx, block("Remove", 0))
			m.await(ctx, scene.Announcer)
		})
	}, NodeTimeout(8*time.Minute))
})

// move is Services that MetalLB gave addresses, and that keep them.
type move struct {
	frr       *router.FRR
	addresses map[string][]netip.Addr // by namespace and name
}

// install starts MetalLB, with a router that it tells of addresses, and what is exposed by it.
func install(ctx context.Context, sh *shell, manifest string) *move {
	GinkgoHelper()
	reachServices(ctx)
	m := &move{
		frr:       stage.FRR(ctx, scene.Peering{Local: routerAS, Remote: nodesAS, Family: 4}),
		addresses: map[string][]netip.Addr{},
	}
	here, err := os.Getwd()
	Expect(err).NotTo(HaveOccurred())
	sh.run(ctx, fmt.Sprintf(`kubectl apply -f %s
kubectl rollout status -n metallb-system deployment/controller --timeout 60s
kubectl rollout status -n metallb-system daemonset/speaker --timeout 60s
kubectl apply -f %s/testdata/metallb.yaml
kubectl apply -f %[2]s/testdata/services.yaml
for namespace in shop team routed; do kubectl rollout status -n $namespace deployment/web --timeout 60s; done
`, manifest, here))
	Eventually(func(g Gomega) {
		for _, service := range services(ctx, g) {
			addresses, err := scene.Addresses(&service)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(addresses).To(HaveLen(len(service.Spec.IPFamilies)), service.Name)
			m.addresses[key(&service)] = addresses
		}
	}).WithContext(ctx).Should(Succeed())
	return m
}

// reachServices has the API server reach MetalLB's webhook: its host is no node.
func reachServices(ctx context.Context) {
	GinkgoHelper()
	for _, by := range []struct{ services, family string }{{"10.96.0.0/16", "-4"}, {"fd00:10:96::/112", "-6"}} {
		family := 4
		if by.family == "-6" {
			family = 6
		}
		gateway := stage.HostAddress(ctx, stage.Nodes[0], family)
		output, err := stage.Hosts.Command(ctx, "cp1", "ip", by.family, "route", "replace", by.services, "via", gateway.String()).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(output))
	}
}

func key(service *corev1.Service) string { return service.Namespace + "/" + service.Name }

// services returns all of type LoadBalancer.
func services(ctx context.Context, g Gomega) (all []corev1.Service) {
	list, err := stage.API.CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	for _, service := range list.Items {
		if service.Spec.Type == corev1.ServiceTypeLoadBalancer {
			all = append(all, service)
		}
	}
	return all
}

// await waits until all Services have the addresses that they had, and answer; with owner,
// that their conditions say which node does, or that routers were told.
func (m *move) await(ctx context.Context, owner func(*corev1.Service, netip.Addr) (string, error)) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		now := map[string][]netip.Addr{}
		for _, service := range services(ctx, g) {
			addresses, err := scene.Addresses(&service)
			g.Expect(err).NotTo(HaveOccurred())
			now[key(&service)] = addresses
			for _, address := range addresses {
				if owner != nil && service.Namespace != routed {
					_, err := owner(&service, address)
					g.Expect(err).NotTo(HaveOccurred())
				}
			}
		}
		g.Expect(now).To(Equal(m.addresses))
		for _, address := range m.addresses[routed+"/web"] {
			routes, err := m.frr.Routes(ctx, netip.PrefixFrom(address, address.BitLen()))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(routes).To(HaveLen(len(stage.Nodes)))
			for _, route := range routes {
				g.Expect(route.Stale).To(BeFalse())
				g.Expect(route.Communities).To(Equal([]string{"64513:100"}))
			}
		}
	}).WithContext(ctx).WithTimeout(moving).Should(Succeed())
	m.reach(ctx)
}

// reach waits until all addresses answer.
func (m *move) reach(ctx context.Context) {
	GinkgoHelper()
	for name, addresses := range m.addresses {
		from := stage.Client
		if name == routed+"/web" {
			from = stage.Remote
		}
		for _, address := range addresses {
			switch name {
			case shop + "/dns-udp":
				stage.ReachUDP(ctx, address, scene.DNS)
			case shop + "/dns-tcp":
				stage.Reach(ctx, from, address, scene.DNS)
			default:
				stage.Reach(ctx, from, address, scene.HTTP)
			}
		}
	}
}

// moving is how long a move may take: an announcer that finds a stranger again and again asks
// once a minute.
const moving = 90 * time.Second

// longest is how long an address may be without an answer: an announcer that asks again at once
// takes some tenths of a second, MetalLB's speakers as long as they take to start.
const longest = 10 * time.Second

// measure tells what becomes of requests while something is done, of clients that ask anew all
// the time who has the addresses, or that know it.
func (m *move) measure(ctx context.Context, name string, forgetful bool, do func()) {
	GinkgoHelper()
	stop := func() {}
	if forgetful {
		stop = forget(ctx)
	}
	flows := map[string]*scene.Flow{}
	for _, service := range []string{shop + "/web", shop + "/local", team + "/web", routed + "/web"} {
		from := stage.Client
		if service == routed+"/web" {
			from = stage.Remote
		}
		for _, address := range m.addresses[service] {
			flows[fmt.Sprintf("%s %s", service, address)] = stage.FlowFrom(ctx, from, address, scene.HTTP)
		}
	}
	do()
	stop()
	told := map[string]string{}
	for flow, running := range flows {
		summary := running.Stop()
		Expect(summary.Outage).To(BeNumerically("<", longest), flow)
		told[flow] = fmt.Sprintf("%d of %d requests lost, all of those that began within %s; the slowest took %s",
			summary.Lost, summary.Sent, summary.Outage.Round(10*time.Millisecond), summary.Slowest.Round(10*time.Millisecond))
	}
	text, err := json.MarshalIndent(told, "", "  ")
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry(name, string(text))
}

// responders returns the node that answers for each address of the segment, as the client's
// kernel finds it.
func (m *move) responders(ctx context.Context) map[netip.Addr]string {
	GinkgoHelper()
	stage.Forget(ctx)
	m.reach(ctx)
	neighbours, err := stage.Neighbours(ctx)
	Expect(err).NotTo(HaveOccurred())
	nodes := map[netip.Addr]string{}
	for name, addresses := range m.addresses {
		for _, address := range addresses {
			if name == routed+"/web" {
				continue
			}
			Expect(neighbours).To(HaveKey(address))
			nodes[address] = neighbours[address]
		}
	}
	return nodes
}

// conflicts fails the case if Herald announces addresses of a family which speakers of other nodes
// answer for, and did not notice any of them since. On a machine that is busy, speakers may be too
// slow to be noticed each time.
func (m *move) conflicts(ctx context.Context, speakers map[netip.Addr]string, capture *scene.Capture, since time.Time) {
	GinkgoHelper()
	beside := map[bool][]string{} // by family: of IPv6
	for address, speaker := range speakers {
		if len(capture.Unasked(address, stage.Others(speaker)...)) > 0 {
			beside[address.Is6()] = append(beside[address.Is6()], address.String())
		}
	}
	for ipv6, addresses := range beside {
		AddReportEntry("announced beside a speaker", addresses)
		Eventually(m.noticed).WithContext(ctx).WithArguments(ipv6, since).Should(BeTrue(), "a speaker, beside those of %s", addresses)
	}
}

// noticed says whether there is a Service whose address of a family a stranger was said to have
// since.
func (m *move) noticed(ctx context.Context, ipv6 bool, since time.Time) (bool, error) {
	events, err := stage.API.EventsV1().Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "reason=AddressConflict"})
	if err != nil {
		return false, err
	}
	for _, event := range events.Items {
		last := event.EventTime
		if event.Series != nil {
			last = event.Series.LastObservedTime
		}
		if last.Time.Before(since) {
			continue
		}
		for _, addresses := range m.addresses {
			for _, address := range addresses {
				if address.Is6() == ipv6 && strings.Contains(event.Note, " answers for "+address.String()+",") {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// forget has the client and the router forget their neighbours all the time, until what it
// returns is called: so they ask anew who has an address, and notice that nobody does.
func forget(ctx context.Context) (stop func()) {
	GinkgoHelper()
	var running []*exec.Cmd
	for _, host := range []string{stage.Client, stage.Router} {
		cmd := stage.Hosts.Command(ctx, host, "sh", "-c", `while sleep 0.1; do ip neighbour flush dev "$0"; done`, stage.Interface)
		Expect(cmd.Start()).To(Succeed())
		running = append(running, cmd)
	}
	return func() {
		GinkgoHelper()
		for _, cmd := range running {
			Expect(cmd.Process.Kill()).To(Succeed())
			Expect(cmd.Wait()).To(BeAssignableToTypeOf(&exec.ExitError{}))
		}
	}
}
