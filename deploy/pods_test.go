package deploy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// testPods makes Pods of the templates, so that admission has had its say.
func (c *cluster) testPods(t *testing.T) {
	restricted := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:   "restricted",
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := c.Create(t.Context(), restricted); err != nil {
		t.Fatal(err)
	}
	t.Run("only the agent has a token, only the announcer keys", func(t *testing.T) {
		want := map[string][]string{"announcer": {"socket", "heartbeat"}, "agent": {"socket", "token"}}
		if diff := cmp.Diff(want, mounts(c.nodePod(t, "herald-system"))); diff != "" {
			t.Errorf("mounts (-want +got):\n%s", diff)
		}
	})
	t.Run("the controller passes as restricted", func(t *testing.T) {
		var controller appsv1.Deployment
		c.get(t, "herald-controller", &controller)
		if err := c.tryPod(t, controller.Spec.Template.Spec, restricted.Name); err != nil {
			t.Error(err)
		}
	})
	t.Run("the agent passes as restricted but for the host's network", func(t *testing.T) {
		spec := c.nodePod(t, "herald-system").Spec
		spec.Containers = spec.Containers[1:]
		spec.HostNetwork = false
		for i := range spec.Containers[0].Ports {
			spec.Containers[0].Ports[i].HostPort = 0
		}
		if err := c.tryPod(t, spec, restricted.Name); err != nil {
			t.Error(err)
		}
	})
	t.Run("the announcer has three capabilities and is root, no more", func(t *testing.T) {
		spec := c.nodePod(t, "herald-system").Spec
		spec.Containers = spec.Containers[:1]
		spec.HostNetwork = false
		err := c.tryPod(t, spec, restricted.Name)
		if err == nil {
			t.Fatal("the announcer passed as restricted")
		}
		_, violations, _ := strings.Cut(err.Error(), `violates PodSecurity "restricted:latest": `)
		want := `unrestricted capabilities (container "announcer" must not include "NET_ADMIN", "NET_RAW", "SYS_NICE" in securityContext.capabilities.add), ` +
			`runAsNonRoot != true (pod or container "announcer" must set securityContext.runAsNonRoot=true), ` +
			`runAsUser=0 (container "announcer" must not set runAsUser=0)`
		if diff := cmp.Diff(want, violations); diff != "" {
			t.Errorf("violations (-want +got):\n%s", diff)
		}
	})
}

// nodePod makes a Pod of the DaemonSet's template and returns it as admitted.
func (c *cluster) nodePod(t *testing.T, namespace string) *corev1.Pod {
	t.Helper()
	var daemonSet appsv1.DaemonSet
	c.get(t, "herald", &daemonSet)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "test-"},
		Spec:       daemonSet.Spec.Template.Spec,
	}
	if err := c.Create(t.Context(), pod, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	return pod
}

// tryPod asks whether a namespace admits a Pod, whose ServiceAccount is left
// behind in its own.
func (c *cluster) tryPod(t *testing.T, spec corev1.PodSpec, namespace string) error {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: spec.ServiceAccountName}}
	if err := client.IgnoreAlreadyExists(c.Create(t.Context(), account)); err != nil {
		t.Fatal(err)
	}
	return c.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "test-"},
		Spec:       spec,
	}, client.DryRunAll)
}

func (c *cluster) get(t *testing.T, name string, into client.Object) {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "herald-system", Name: name}, into); err != nil {
		t.Fatal(err)
	}
}

func mounts(pod *corev1.Pod) map[string][]string {
	mounts := make(map[string][]string)
	for _, container := range pod.Spec.Containers {
		for _, mount := range container.VolumeMounts {
			mounts[container.Name] = append(mounts[container.Name], mount.Name)
		}
	}
	return mounts
}
