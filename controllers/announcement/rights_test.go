package announcement

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/advertisement"
)

// testDeployedRights runs an agent, with all that it does, as the
// ServiceAccount of deploy/ and under the policy that holds it.
func testDeployedRights(c *cluster) {
	a := c.node("a")
	c.pools = types.NamespacedName{Namespace: "herald-system", Name: "herald"}
	c.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.pools.Namespace}})
	c.apply("agent-rbac.yaml")
	c.apply("agent-policy.yaml")
	pools := c.configMap(map[string]string{
		"interface-global": "eth0", "cidr-global": "192.0.2.0/24", "announce-global": "l2,bgp",
		"bgp.yaml": "localASN: 65000\npeers: [{name: rtr, address: 198.51.100.1, asn: 65001, passwordKey: rtr}]\n",
	})
	name := c.secret()
	c.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}, StringData: map[string]string{"other": "x"}})

	agent := rest.ImpersonationConfig{UserName: "system:serviceaccount:herald-system:herald-agent"}
	svc := c.service("righteous", addrs("192.0.2.1"))
	c.awaitPolicy(svc, agent)
	h := c.announcer("a")
	h.api.Impersonate = agent
	h.start()
	h.awaitExactly(c.t, addr("192.0.2.1"))
	c.awaitService(svc, "the condition", announcedBy("a"))
	c.awaitEvent(svc, corev1.EventTypeNormal, "AddressAnnounced", "a answers for 192.0.2.1 on eth0")

	// It reads the Secret, makes events on its Node, and writes the condition of BGP.
	h.awaitSession("the Secret is read", func(s advertisement.Session) bool {
		return s.Reason == `its password is not known: Secret herald-system/herald-bgp has no key "rtr"`
	})
	h.awaitEventOn(a, advertisement.EventSessionDown, "herald-system/herald-bgp")
	c.patch(pools, func() { pools.Data["announce-global"] = "bgp" })
	c.awaitCondition(svc, metav1.ConditionFalse, ReasonNoSession, "a has no session with rtr to tell of 192.0.2.1")
}

// awaitPolicy waits until the policy is in force, that is until an agent may
// not change an address. A policy gives no event, so it polls.
func (c *cluster) awaitPolicy(svc *corev1.Service, agent rest.ImpersonationConfig) {
	c.t.Helper()
	config := rest.CopyConfig(c.config)
	config.Impersonate = agent
	api, err := client.New(config, client.Options{Scheme: c.api.Scheme(), Mapper: c.api.RESTMapper()})
	if err != nil {
		c.t.Fatal(err)
	}
	poll(c.t, "the agent's policy", func() bool {
		moved := svc.DeepCopy()
		moved.Status.LoadBalancer.Ingress[0].IP = netip.MustParseAddr("192.0.2.66").String()
		err := api.Status().Patch(c.t.Context(), moved, client.MergeFrom(svc), client.DryRunAll)
		if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
			c.t.Fatal(err)
		}
		return err != nil
	})
}

// apply creates what a manifest of deploy/base holds.
func (c *cluster) apply(manifest string) {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "base", manifest))
	if err != nil {
		c.t.Fatal(err)
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			c.t.Fatal(err)
		}
		decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			c.t.Fatal(err)
		}
		object, ok := decoded.(client.Object)
		if !ok {
			c.t.Fatalf("%T in %s", decoded, manifest)
		}
		// kustomize puts them there.
		if object.GetNamespace() == "" {
			object.SetNamespace(c.pools.Namespace)
		}
		c.create(object)
	}
}
