package suite

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A Service behind a home gateway", func() {
	outside := netip.MustParseAddr(scene.Outside)
	mapping := func(address netip.Addr) string { return fmt.Sprintf("TCP    80->%s:80", address) }

	// exposed brings a Service on the way, reached from outside.
	exposed := func(ctx SpecContext, changes ...scene.Change) (*scene.Scene, netip.Addr) {
		GinkgoHelper()
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", append([]scene.Change{scene.Family(corev1.IPv4Protocol), scene.Annotate(scene.UPnP, "true")}, changes...)...)
		Eventually(s.External).WithContext(ctx).WithArguments("web").Should(ContainSubstring(scene.Outside + ":80/TCP"))
		s.Reach(ctx, stage.Remote, outside, scene.HTTP)
		return s, s.Address(ctx, "web")
	}

	DescribeTable("is reached from outside until it is deleted", func(ctx SpecContext, lines ...string) {
		gateway := stage.Gateway(ctx, lines...)
		s, address := exposed(ctx, scene.Ports(scene.TCP(scene.HTTP), scene.UDP(scene.DNS)))
		Expect(s.External(ctx, "web")).To(Equal(scene.Outside + ":53/UDP," + scene.Outside + ":80/TCP"))
		Eventually(s.Events).WithContext(ctx).WithArguments("web", "UPnPMapped").Should(ContainSubstring(scene.Outside + ":80/TCP"))
		Expect(gateway.Table(ctx)).To(And(ContainSubstring(mapping(address)), ContainSubstring("'herald "+s.Namespace+"/web'")))

		By("doing nothing")
		watching, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		Expect(stage.Writes(watching)).To(BeEmpty())

		s.Delete(ctx, "web")
		Eventually(gateway.Table).WithContext(ctx).ShouldNot(ContainSubstring(address.String()))
	},
		Entry("IGDv2"),
		Entry("IGDv1", "force_igd_desc_v1=yes"),
	)

	It("is still reached when the node that answers for it has crashed, and when an agent ends", func(ctx SpecContext) {
		gateway := stage.Gateway(ctx)
		s, address := exposed(ctx)
		owner := s.AwaitAnnouncer(ctx, "web", address)
		s.Move(ctx, "web", stage.Others(owner)[0])
		machine := stage.Machine(ctx, owner)
		machine.Crash(ctx)
		s.Reach(ctx, stage.Remote, outside, scene.HTTP)
		var next string
		Eventually(func() (string, error) {
			service, err := s.Service(ctx, "web")
			if err != nil {
				return "", err
			}
			next, err = scene.Announcer(service, address)
			return next, err
		}).WithContext(ctx).ShouldNot(Equal(owner))
		Eventually(renewed(next)).WithContext(ctx).Should(BeNumerically(">", 0))
		machine.Boot(ctx)

		By("replacing the Pod of " + next)
		s.Move(ctx, "web", stage.Others(next)[0])
		stage.Renew(ctx, next)
		Expect(gateway.Table(ctx)).To(ContainSubstring(mapping(address)))
		s.Reach(ctx, stage.Remote, outside, scene.HTTP)
	})

	It("is mapped again when the gateway has restarted", func(ctx SpecContext) {
		gateway := stage.Gateway(ctx)
		s, address := exposed(ctx)
		gateway.Crash(ctx)
		gateway.Start(ctx)
		Eventually(gateway.Table).WithContext(ctx).Should(ContainSubstring(mapping(address)))
		s.Reach(ctx, stage.Remote, outside, scene.HTTP)
	})

	It("says so when the gateway is gone, and is mapped when it is back", func(ctx SpecContext) {
		gateway := stage.Gateway(ctx)
		s, address := exposed(ctx)
		owner := s.AwaitAnnouncer(ctx, "web", address)
		gateway.Leave(ctx)
		const gone = 30 * time.Second // it is searched for twice, and then the problem has to stand
		Eventually(s.Events).WithContext(ctx).WithTimeout(gone).WithArguments("web", "UPnPNoGateway").Should(ContainSubstring("does not answer"))
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		Expect(s.AwaitAnnouncer(ctx, "web", address)).To(Equal(owner))

		gateway.Start(ctx)
		Eventually(gateway.Table).WithContext(ctx).Should(ContainSubstring(mapping(address)))
		s.Reach(ctx, stage.Remote, outside, scene.HTTP)
	})

	It("takes no port that is somebody else's", func(ctx SpecContext) {
		gateway := stage.Gateway(ctx)
		client, err := stage.Source(ctx, stage.Client, stage.Global.V4.From)
		Expect(err).NotTo(HaveOccurred())
		gateway.Ask(ctx, "-e", "a game", "-a", client.String(), "80", "80", "TCP", "600")
		s := stage.New(ctx)
		s.Expose(ctx, "web", scene.Family(corev1.IPv4Protocol), scene.Annotate("kube-vip.io/forwardUPNP", "true"))
		Eventually(s.Events).WithContext(ctx).WithArguments("web", "UPnPConflict").Should(
			ContainSubstring(`passes 80/TCP on to %s:80 already ("a game")`, client))
		Expect(gateway.Table(ctx)).To(ContainSubstring(mapping(client)))
		Expect(s.External(ctx, "web")).To(BeEmpty())
	})

	It("asks for a pinhole by IPv6, and says what the gateway thinks of it", func(ctx SpecContext) {
		stage.Gateway(ctx)
		stage.Renumber(ctx, "2001:db8:100::", 64)
		s := stage.New(ctx)
		s.OwnPool(ctx, map[string]string{"range": "2001:db8:100::100-2001:db8:100::1ff"})
		s.Expose(ctx, "web", scene.Family(corev1.IPv6Protocol), scene.Annotate(scene.UPnP, "true"), scene.Ports(scene.TCP(scene.Alt)))
		// miniupnpd opens pinholes for who asks only, and an address of a Service asks for nothing.
		Eventually(s.Events).WithContext(ctx).WithArguments("web", "UPnPRefused").Should(
			ContainSubstring("AddPinhole: error 606, the gateway does not authorize it"))
	})
})

// renewed returns how often a node has put a mapping in force, or renewed it.
func renewed(node string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		return stage.AgentMetric(ctx, node, "herald_upnp_maps_total", nil)
	}
}
