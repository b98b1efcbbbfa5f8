package suite

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("herald status", func() {
	It("agrees with the wire: who owns what since when, and who hears whom", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)
		owners := scene.Owners{}
		for _, address := range addresses {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			owners[address] = s.Owner(ctx, "web", address)
		}

		By("reading the JSON")
		status, err := stage.Status(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Complaints).To(BeEmpty())
		Expect(status.Pools).To(ContainElements(
			And(HaveField("Scope", "global"), HaveField("Family", "IPv4"), HaveField("Used", BeNumerically(">=", 1))),
			And(HaveField("Scope", "global"), HaveField("Family", "IPv6"), HaveField("Used", BeNumerically(">=", 1)))))
		var told []netip.Addr
		for _, service := range status.Services {
			if service.Namespace != s.Namespace {
				continue
			}
			for _, address := range service.Addresses {
				told = append(told, address.Address)
				Expect(address.Owner).To(Equal(owners[address.Address]))
				Expect(address.Interfaces).To(ConsistOf(stage.Interface))
				Expect(address.Since).NotTo(BeZero())
				Expect(address.Problem).To(BeEmpty())
			}
		}
		Expect(told).To(Equal(addresses))
		Expect(status.Nodes).To(HaveLen(len(stage.Nodes)))
		for _, node := range status.Nodes {
			Expect(node.Error).To(BeEmpty(), node.Name)
			Expect(node.View.Node).To(Equal(node.Name))
			Expect(node.View.Scheduling).NotTo(BeEmpty())
			Expect(node.Owns).To(BeNumerically(">=", len(owners.Of(node.Name))), node.Name)
			Expect(hearsAllStand(node.View)).To(BeTrue(), "%s hears %v", node.Name, node.View.Members)
		}

		By("reading the text")
		wide := stage.CommandLine(ctx, "status", "-o", "wide")
		Expect(wide).NotTo(Equal(stage.CommandLine(ctx, "status")))
		for _, address := range addresses {
			Expect(wide).To(MatchRegexp(`(?m)^%s/web +%s +%s +%s `, s.Namespace, address, owners[address], stage.Interface))
		}
		for _, node := range stage.Nodes {
			for _, other := range stage.Others(node) {
				Expect(wide).To(MatchRegexp(`(?m)^%s +%s +%s .*\bAlive\b`, node, other, stage.Interface))
			}
		}
	})
})
