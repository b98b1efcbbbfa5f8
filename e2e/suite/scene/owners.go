package scene

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Owners are the nodes that answer for addresses.
type Owners map[netip.Addr]string

// Of returns the addresses that a node answers for, in order.
func (o Owners) Of(node string) []netip.Addr {
	var addresses []netip.Addr
	for address, owner := range o {
		if owner == node {
			addresses = append(addresses, address)
		}
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return addresses
}

// Without returns the owners without those that are a node.
func (o Owners) Without(node string) Owners {
	rest := maps.Clone(o)
	maps.DeleteFunc(rest, func(_ netip.Addr, owner string) bool { return owner == node })
	return rest
}

// Owners returns who answers for the addresses of all Services of the scene, as
// their conditions have it; an error where one does not say.
func (s *Scene) Owners(ctx context.Context) (Owners, error) {
	list, err := s.API.CoreV1().Services(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	owners := Owners{}
	for i := range list.Items {
		addresses, err := Addresses(&list.Items[i])
		if err != nil {
			return nil, err
		}
		if len(addresses) == 0 {
			return nil, fmt.Errorf("the Service %s has no address yet", list.Items[i].Name)
		}
		for _, address := range addresses {
			if owners[address], err = Announcer(&list.Items[i], address); err != nil {
				return nil, err
			}
		}
	}
	return owners, nil
}

// AwaitOwners waits until each address of the scene is answered for, and
// returns by whom.
func (s *Scene) AwaitOwners(ctx context.Context) Owners {
	GinkgoHelper()
	var owners Owners
	Eventually(func() (err error) {
		owners, err = s.Owners(ctx)
		return err
	}).WithContext(ctx).Should(Succeed())
	return owners
}

// crowdLimit is how many Services Crowd makes at most.
const crowdLimit = 12

// Crowd makes Services in front of a Deployment until one node answers for
// addresses of both families. It returns that node, which is not that of the API
// server, and who answers for what.
func (s *Scene) Crowd(ctx context.Context, deployment string) (string, Owners) {
	GinkgoHelper()
	owners := Owners{}
	for i := range crowdLimit {
		s.Expose(ctx, fmt.Sprintf("%s-%d", deployment, i), Dual, For(deployment))
		owners = s.AwaitOwners(ctx)
		for _, node := range s.Others(s.Components.Server().Host) {
			if of := owners.Of(node); len(of) > 1 && of[0].Is4() && of[len(of)-1].Is6() {
				return node, owners
			}
		}
	}
	Fail(fmt.Sprintf("no node owns both families: %v", owners))
	return "", nil
}

// Fence is a Service that waits for its first Pod: the node that gets that is the
// only one that may answer for it. So it tells when a node takes addresses, of
// which it might as well have taken others before. It needs no controller then.
type Fence struct {
	scene     *Scene
	addresses []netip.Addr
}

// Fence makes a fence.
func (st *Stage) Fence(ctx context.Context) *Fence {
	GinkgoHelper()
	s := st.New(ctx)
	s.Expose(ctx, "fence", Dual, Local)
	return &Fence{scene: s, addresses: s.Addresses(ctx, "fence", 2)}
}

// Await waits until the node takes addresses. It may be called once.
func (f *Fence) Await(ctx context.Context, node string) {
	GinkgoHelper()
	f.scene.Deploy(ctx, "fence", 1, OnNode(node))
	for _, address := range f.addresses {
		Expect(f.scene.AwaitAnnouncer(ctx, "fence", address)).To(Equal(node))
	}
}

// AwaitAnnouncer waits until a Service's condition says which node answers for
// an address, and returns it.
func (s *Scene) AwaitAnnouncer(ctx context.Context, name string, address netip.Addr) string {
	GinkgoHelper()
	var node string
	Eventually(func(g Gomega) {
		service, err := s.Service(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		node, err = Announcer(service, address)
		g.Expect(err).NotTo(HaveOccurred())
	}).WithContext(ctx).Should(Succeed())
	return node
}
