package suite

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/kind"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("Herald's manifests", Label(onKind), func() {
	It("roll another image out under load, and lose what is under way in each move at most", func(ctx SpecContext) {
		const other = "localhost/herald:other"
		Expect(stage.Kind.Rename(ctx, stage.Kind.Image, other)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(stage.Kind.Install(ctx, stage.Kind.Current())).To(Succeed()) })
		s := stage.New(ctx)
		load := newLoad(ctx, s)
		_, err := stage.Kind.Kubectl(ctx, "set", "image", "--namespace", scene.System, "daemonset/herald", "announcer="+other, "agent="+other)
		Expect(err).NotTo(HaveOccurred())
		Expect(stage.Kind.AwaitRollout(ctx)).To(Succeed())
		load.lostInMoves(ctx)
	})

	It("take the place of the previous ones: no Service is renumbered, and no more is lost", func(ctx SpecContext) {
		previous, err := stage.Kind.LoadPrevious(ctx)
		Expect(err).NotTo(HaveOccurred())
		current := func(ctx SpecContext) { Expect(stage.Kind.Install(ctx, stage.Kind.Current())).To(Succeed()) }
		DeferCleanup(current)
		By("starting with the previous ones")
		remove(ctx)
		Expect(stage.Kind.Install(ctx, previous)).To(Succeed())

		s := stage.New(ctx)
		load := newLoad(ctx, s)
		before, err := held(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		By("applying the current ones")
		current(ctx)
		load.lostInMoves(ctx)
		Expect(held(ctx, s)).To(Equal(before))
		s.Expose(ctx, "late", scene.For("web"), scene.Dual)
		for _, address := range s.Addresses(ctx, "late", 2) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}
	})

	It("leave nothing when they are deleted", func(ctx SpecContext) {
		DeferCleanup(func(ctx SpecContext) { Expect(stage.Kind.Install(ctx, stage.Kind.Current())).To(Succeed()) })
		s := stage.New(ctx)
		_, owners := s.Crowd(ctx, "web")
		remove(ctx)

		By("looking at the wire")
		for address := range owners {
			s.Silence(ctx, address)
		}
		By("looking at the nodes")
		for _, node := range stage.Nodes {
			Eventually(left).WithContext(ctx).WithArguments(node).Should(BeEmpty(), "on %s", node)
			addresses, err := output(ctx, node, "ip", "address")
			Expect(err).NotTo(HaveOccurred())
			for address := range owners {
				Expect(addresses).NotTo(ContainSubstring(address.String()+"/"), "on %s", node)
			}
		}
		By("looking at the Services")
		list, err := s.API.CoreV1().Services(s.Namespace).List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		for _, service := range list.Items {
			Expect(service.Status.LoadBalancer.Ingress).To(BeEmpty(), service.Name)
			Expect(service.Status.Conditions).To(BeEmpty(), service.Name)
			Expect(service.Finalizers).NotTo(ContainElement(scene.Finalizer), service.Name)
		}
		By("looking at the cluster")
		all, err := stage.Kind.Kubectl(ctx, "get", "--all-namespaces", "--output=name", "namespaces,clusterroles,clusterrolebindings,"+
			"validatingadmissionpolicies,validatingadmissionpolicybindings,serviceaccounts,daemonsets,deployments,leases,priorityclasses")
		Expect(err).NotTo(HaveOccurred())
		var remains []string
		for object := range strings.Lines(all) {
			if strings.Contains(object, "herald") && !strings.Contains(object, kind.Name) { // the nodes' own
				remains = append(remains, object)
			}
		}
		Expect(remains).To(BeEmpty())
	})
})

// load is flows to an address of each family that a node answers for.
type load struct {
	owner     string
	addresses []netip.Addr
	flows     []*scene.Flow
	capture   *scene.Capture
}

func newLoad(ctx SpecContext, s *scene.Scene) load {
	GinkgoHelper()
	owner, before := s.Crowd(ctx, "web")
	s.Deploy(ctx, "web", 2)
	addresses := before.Of(owner)
	capture := stage.Capture(ctx)
	return load{owner: owner, addresses: ends(addresses), flows: flowsTo(ctx, s, addresses), capture: capture}
}

// lostInMoves ends them, and fails the case if more was lost than was under way in each
// move.
func (l load) lostInMoves(ctx SpecContext) {
	GinkgoHelper()
	for i, flow := range l.flows {
		nodes, err := l.capture.Nodes(l.addresses[i])
		Expect(err).NotTo(HaveOccurred())
		Expect(nodes).To(ContainElement(Not(Equal(l.owner))), "%s moved", l.addresses[i])
		summary := flow.Stop()
		AddReportEntry(fmt.Sprint(l.addresses[i]), fmt.Sprintf("%d of %d lost, announced by %d nodes", summary.Lost, summary.Sent, len(nodes)))
		summary.Lose(inFlight * len(nodes))
	}
	for _, address := range l.addresses {
		stage.Reach(ctx, stage.Client, address, scene.HTTP)
	}
}

// remove takes Herald away as deploy/README.md says.
func remove(ctx SpecContext) {
	GinkgoHelper()
	annotate := func(ctx context.Context, how string) {
		GinkgoHelper()
		_, err := stage.Kind.Kubectl(ctx, "annotate", "services", "--all-namespaces", "--field-selector=spec.type=LoadBalancer", how)
		Expect(err).NotTo(HaveOccurred())
	}
	annotate(ctx, "heraldlb.io/ignore=true")
	Expect(stage.Kind.Uninstall(ctx, stage.Kind.Current())).To(Succeed())
	annotate(ctx, "heraldlb.io/ignore-")
	stage.DropToken()
}

// left returns what of Herald is in a node's network: sockets at its ports, and tables.
func left(ctx context.Context, node string) ([]string, error) {
	var all []string
	for _, look := range []struct{ word, command string }{
		{":964", "ss -Hanptu"},
		{"herald", "nft list tables"},
	} {
		text, err := output(ctx, node, strings.Fields(look.command)...)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			if strings.Contains(line, look.word) && !strings.Contains(line, "TIME-WAIT") {
				all = append(all, line)
			}
		}
	}
	return all, nil
}

func output(ctx context.Context, host string, args ...string) (string, error) {
	text, err := stage.Hosts.Command(ctx, host, args...).Output()
	return string(text), err
}
