package suite

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

// quiet is longer than any period that a write could have in steady state:
// the Lease is renewed every 2 s.
const quiet = 5 * time.Second

var _ = Describe("In steady state", func() {
	It("nothing but the Lease is written", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		for _, address := range s.Addresses(ctx, "web", 2) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			s.Owner(ctx, "web", address)
			Eventually(s.Events).WithContext(ctx).WithArguments("web", "AddressAnnounced").Should(ContainSubstring(address.String()))
		}

		watching, cancel := context.WithTimeout(ctx, quiet)
		defer cancel()
		Expect(stage.Writes(watching)).To(BeEmpty())
	})
})
