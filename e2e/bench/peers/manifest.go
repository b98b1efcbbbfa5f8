package peers

import (
	"context"
	"fmt"
	"strings"
)

// bgpAdvertisement is the kind of resource that has addresses advertised by BGP.
const bgpAdvertisement = "BGPAdvertisement"

// manifest is what MetalLB needs in the API beside its resource definitions.
// The Pods do nothing: speakers find each other by them, and each process looks
// its own up.
func (m *MetalLB) manifest() string {
	var text strings.Builder
	text.WriteString(`apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: controller, namespace: metallb-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: speaker, namespace: metallb-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metallb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
  - {kind: ServiceAccount, name: controller, namespace: metallb-system}
  - {kind: ServiceAccount, name: speaker, namespace: metallb-system}
`)
	text.WriteString(pod(metalController, metalController, m.site.Nodes[0]))
	for _, node := range m.site.Nodes {
		text.WriteString(pod(speakerPod(node), metalSpeaker, node))
	}
	fmt.Fprintf(&text, `---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: bench, namespace: metallb-system}
spec: {addresses: ["%s"]}
`, strings.Join(m.pools, `", "`))
	switch {
	case m.peer == nil:
		text.WriteString(advertisement("L2Advertisement"))
	case m.peer.AdvertiseByHand:
		text.WriteString(m.peer.manifest())
	default:
		text.WriteString(m.peer.manifest())
		text.WriteString(advertisement(bgpAdvertisement))
	}
	return text.String()
}

func advertisement(kind string) string {
	return fmt.Sprintf(`---
apiVersion: metallb.io/v1beta1
kind: %s
metadata: {name: bench, namespace: metallb-system}
`, kind)
}

func (p Peer) manifest() string {
	return fmt.Sprintf(`---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: bench, namespace: metallb-system}
spec: {myASN: %d, peerASN: %d, peerAddress: %s, holdTime: %s}
`, p.Local, p.Remote, p.Address, p.HoldTime)
}

// Advertise has the speakers tell the router of all addresses.
func (m *MetalLB) Advertise(ctx context.Context) error {
	return m.kubectl(ctx, advertisement(bgpAdvertisement), "apply", "--filename=-")
}

func pod(name, component, node string) string {
	return fmt.Sprintf(`---
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: metallb-system, labels: {app: metallb, component: %s}}
spec:
  nodeName: %s
  hostNetwork: true
  containers: [{name: %s, image: stand-in, ports: [{containerPort: %d, hostPort: %d}]}]
`, name, component, node, component, standInPort(component), standInPort(component))
}

// standInPort: the lab's server in place of an image takes a port of the node.
func standInPort(component string) int { return 17000 + len(component) }

// kubectl runs kubectl with a standard input.
func (m *MetalLB) kubectl(ctx context.Context, input string, args ...string) error {
	cmd, err := m.site.Cluster.Kubectl(ctx, args...)
	if err != nil {
		return err
	}
	cmd.Stdin = strings.NewReader(input)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, output)
	}
	return nil
}

// Hush undoes Advertise; before that, it does nothing.
func (m *MetalLB) Hush(ctx context.Context) error {
	return m.kubectl(ctx, advertisement(bgpAdvertisement), "delete", "--ignore-not-found", "--filename=-")
}
