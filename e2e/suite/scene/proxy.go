package scene

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Proxied waits until the kube-proxy of every node serves addresses. Routers send requests to
// a node from when its agent has told them, and it may know an address before kube-proxy does.
func (st *Stage) Proxied(ctx context.Context, addresses ...netip.Addr) {
	GinkgoHelper()
	for _, address := range addresses {
		family := "ip"
		if address.Is6() {
			family = "ip6"
		}
		for _, node := range st.Nodes {
			served := func() (string, error) {
				text, err := st.run(ctx, node, "nft", "list", "map", family, "kube-proxy", "service-ips")
				return string(text), err
			}
			Eventually(served).WithContext(ctx).Should(ContainSubstring(address.String()+" . "), "addresses that kube-proxy serves on %s", node)
		}
	}
}
