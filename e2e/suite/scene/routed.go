package scene

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BGPConfig is the key of the pool ConfigMap that says with whom the nodes speak BGP.
const BGPConfig = "bgp.yaml"

// Routed gives the case's namespace a pool of addresses of no segment, which are announced
// by BGP alone, with a bgp.yaml; both go with the case.
func (s *Scene) Routed(ctx context.Context, config string) {
	GinkgoHelper()
	s.RoutedAs(ctx, "bgp", fmt.Sprint(s.Beyond.V4, ",", s.Beyond.V6), config)
}

// RoutedAs is Routed with another pool, or announced in another way.
func (s *Scene) RoutedAs(ctx context.Context, how, pool, config string) {
	GinkgoHelper()
	s.SetPools(ctx, map[string]string{
		"range-" + s.Namespace: pool, "announce-" + s.Namespace: how, BGPConfig: config,
	})
	Eventually(s.HasPool).WithContext(ctx).WithArguments(s.Namespace).Should(BeTrue(), "Herald uses the pool %s", s.Namespace)
}

// OnePerNode keeps two Pods of a Deployment from one node, and from no node that is a
// control plane.
func OnePerNode(deployment *appsv1.Deployment) {
	deployment.Spec.Template.Spec.Tolerations = []corev1.Toleration{{
		Key: "node-role.kubernetes.io/control-plane", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule,
	}}
	deployment.Spec.Template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.DoNotSchedule,
		LabelSelector: deployment.Spec.Selector,
	}}
}

// Labelled sets a label of the Service.
func Labelled(name, value string) Change {
	return func(service *corev1.Service) { metav1.SetMetaDataLabel(&service.ObjectMeta, name, value) }
}

// NodeEvents returns the notes of the events on a node that have a reason.
func (st *Stage) NodeEvents(ctx context.Context, node, reason string) (string, error) {
	return st.events(ctx, metav1.NamespaceDefault, node, reason)
}

// Spread has the router choose among next hops for each connection, and not for each
// client, until the case ends.
func (st *Stage) Spread(ctx context.Context) {
	GinkgoHelper()
	set := func(ctx context.Context, policy string) {
		GinkgoHelper()
		for _, family := range []string{"ipv4", "ipv6"} {
			_, err := st.run(ctx, st.Router, "sh", "-c", `echo "$0" >"/proc/sys/net/$1/fib_multipath_hash_policy"`, policy, family)
			Expect(err).NotTo(HaveOccurred())
		}
	}
	DeferCleanup(set, "0")
	set(ctx, "1")
}

// SetBGP puts another bgp.yaml in the place of the one that is there, until the case ends.
func (st *Stage) SetBGP(ctx context.Context, config string) {
	GinkgoHelper()
	st.SetPools(ctx, map[string]string{BGPConfig: config})
}

// passwordSecret is where the passwords of BGP sessions are.
const passwordSecret = "herald-bgp"

// Passwords gives the nodes passwords of BGP sessions, by their key, in the place of those
// before, until the case ends.
func (st *Stage) Passwords(ctx context.Context, passwords map[string]string) {
	GinkgoHelper()
	secrets := st.API.CoreV1().Secrets(System)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: passwordSecret}, StringData: passwords}
	_, err := secrets.Update(ctx, secret, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		DeferCleanup(st.forgetPasswords)
		_, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
	}
	Expect(err).NotTo(HaveOccurred())
}

func (st *Stage) forgetPasswords(ctx context.Context) {
	GinkgoHelper()
	Expect(st.API.CoreV1().Secrets(System).Delete(ctx, passwordSecret, metav1.DeleteOptions{})).To(Succeed())
}
