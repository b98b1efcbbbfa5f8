package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
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

		move := func(how string) {
			m.measure(ctx, how, func() {
				for _, name := range []string{"Stop MetalLB's controller", "Install Herald", "Stop the speakers"} {
					sh.run(ctx, block(name, 0))
				}
				m.await(ctx, scene.Announcer)
			})
			Expect(sh.run(ctx, block("Check", 0))).NotTo(BeEmpty())
		}
		move("to Herald")
		m.measure(ctx, "back to MetalLB", func() {
			sh.run(ctx, block("The way back", 0))
			m.await(ctx, nil)
		})
		sh.run(ctx, block("The way back", 1))
		Expect(m.finalizers(ctx)).To(BeEmpty())
		move("to Herald again")

		m.measure(ctx, "while MetalLB is removed", func() {
			sh.run(ctx, block("Remove", 0))
		})
		m.await(ctx, scene.Announcer)
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
	build := exec.CommandContext(ctx, filepath.Join(sh.root, "hack", "build-metallb"))
	build.Stdout, build.Stderr = GinkgoWriter, GinkgoWriter
	Expect(build.Run()).To(Succeed())
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

// measure tells what becomes of requests while something is done.
func (m *move) measure(ctx context.Context, name string, do func()) {
	GinkgoHelper()
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
	told := map[string]string{}
	for flow, running := range flows {
		summary := running.Stop()
		told[flow] = fmt.Sprintf("%d of %d requests lost, none answered for %s", summary.Lost, summary.Sent, summary.Outage.Round(10*time.Millisecond))
	}
	text, err := json.MarshalIndent(told, "", "  ")
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry(name, string(text))
}

// finalizers returns the Services that have one.
func (m *move) finalizers(ctx context.Context) (names []string) {
	GinkgoHelper()
	for _, service := range services(ctx, Default) {
		if len(service.Finalizers) > 0 {
			names = append(names, key(&service))
		}
	}
	return names
}
