package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("The class of a Service", func() {
	It("says whether it is Herald's; another's is not touched at all", func(ctx SpecContext) {
		s := stage.New(ctx)
		foreign := s.Expose(ctx, "foreign", scene.OfClass("example.com/other"))
		ignored := s.Expose(ctx, "ignored", scene.Annotate("kube-vip.io/ignore", "true"))
		s.Expose(ctx, "named", scene.OfClass(scene.Class))
		s.Expose(ctx, "plain")
		// Made later, so Herald has seen the others by the time it served these.
		s.Address(ctx, "named")
		s.Address(ctx, "plain")

		Expect(s.Service(ctx, "foreign")).To(HaveField("ResourceVersion", foreign.ResourceVersion))
		Expect(s.Service(ctx, "ignored")).To(HaveField("ResourceVersion", ignored.ResourceVersion))
	})
})
