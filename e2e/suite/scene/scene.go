// Package scene gives each case of the suite a namespace of its own, with
// Pods and Services in it, and says what the client and the wire know of them.
//
// Its methods fail the running case where the cluster does not do as told.
package scene

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Scene is one case's namespace.
type Scene struct {
	*Stage
	Namespace string
}

// cleanupPatience is how long a case's Services, a thousand of them, may take to be
// gone.
const cleanupPatience = 2 * time.Minute

// New makes a namespace that goes with the case.
func (st *Stage) New(ctx context.Context) *Scene {
	GinkgoHelper()
	namespace, err := st.API.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"},
	}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	s := &Scene{Stage: st, Namespace: namespace.Name}
	DeferCleanup(s.remove, NodeTimeout(cleanupPatience))
	return s
}

// remove waits for the Services, whose addresses the next case may need; the
// rest of the namespace goes in its own time.
func (s *Scene) remove(ctx SpecContext) {
	services := s.API.CoreV1().Services(s.Namespace)
	all := s.API.CoreV1().RESTClient().Delete().Namespace(s.Namespace).Resource("services")
	Expect(all.Do(ctx).Error()).To(Succeed())
	Eventually(func(g Gomega) {
		list, err := services.List(ctx, metav1.ListOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(list.Items).To(BeEmpty())
	}).WithContext(ctx).WithTimeout(cleanupPatience).Should(Succeed())
	Expect(s.API.CoreV1().Namespaces().Delete(ctx, s.Namespace, metav1.DeleteOptions{})).To(Succeed())
}

// The ports of the Pods that Deploy makes.
const (
	HTTP = 80
	DNS  = 53
	Alt  = 8080
)

// selector is the label by which Services find the Pods of Deploy.
const selector = "app"

// OnNode puts the Pods of a Deployment on one node.
func OnNode(node string) func(*appsv1.Deployment) {
	return func(deployment *appsv1.Deployment) { deployment.Spec.Template.Spec.NodeName = node }
}

// Preferring puts the Pods of a Deployment on one node as long as they may go there.
func Preferring(node string) func(*appsv1.Deployment) {
	return func(deployment *appsv1.Deployment) {
		deployment.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
				Weight: 100,
				Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node},
				}}},
			}},
		}}
	}
}

// Deploy makes a Deployment whose Pods answer with what they saw of a request,
// HTTP over TCP on the ports HTTP, DNS and Alt and one datagram for each over
// UDP on DNS, and waits until they are ready.
func (s *Scene) Deploy(ctx context.Context, name string, replicas int32, changes ...func(*appsv1.Deployment)) {
	GinkgoHelper()
	labels := map[string]string{selector: name}
	var none int64
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: &none,
					Containers: []corev1.Container{{
						Name:  "echo",
						Image: s.Echo,
						Args:  []string{port("udp", DNS), port("tcp", DNS), port("tcp", Alt), port("tcp", HTTP)},
						Env: []corev1.EnvVar{
							field("POD_NAME", "metadata.name"),
							field("POD_NAMESPACE", "metadata.namespace"),
							field("NODE_NAME", "spec.nodeName"),
						},
						Ports: []corev1.ContainerPort{
							{ContainerPort: HTTP},
							{ContainerPort: Alt},
							{ContainerPort: DNS},
							{ContainerPort: DNS, Protocol: corev1.ProtocolUDP},
						},
						// Without a share of its own, it would wait for seconds on a busy machine.
						Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m")}},
						// It is ready when it listens at its last port; a busy machine does not undo that.
						ReadinessProbe: &corev1.Probe{
							ProbeHandler:     corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(HTTP)}},
							PeriodSeconds:    1,
							FailureThreshold: 60,
						},
					}},
				},
			},
		},
	}
	for _, change := range changes {
		change(deployment)
	}
	_, err := s.API.AppsV1().Deployments(s.Namespace).Create(ctx, deployment, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	s.AwaitReady(ctx, name, replicas)
}

func port(network string, number int) string { return fmt.Sprintf("%s/%d", network, number) }

func field(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
}

// Scale changes how many Pods a Deployment has, and waits until they are ready.
func (s *Scene) Scale(ctx context.Context, name string, replicas int32) {
	GinkgoHelper()
	deployments := s.API.AppsV1().Deployments(s.Namespace)
	scale, err := deployments.GetScale(ctx, name, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	scale.Spec.Replicas = replicas
	_, err = deployments.UpdateScale(ctx, name, scale, metav1.UpdateOptions{})
	Expect(err).NotTo(HaveOccurred())
	s.AwaitReady(ctx, name, replicas)
}

// Move brings the Pods of a Deployment to another node.
func (s *Scene) Move(ctx context.Context, name, node string) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"nodeName":%q}}}}`, node)
	deployment, err := s.API.AppsV1().Deployments(s.Namespace).Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	Expect(err).NotTo(HaveOccurred())
	s.AwaitReady(ctx, name, *deployment.Spec.Replicas)
}

// AwaitReady waits until a Deployment has exactly so many Pods, all ready and reached by each
// family. By IPv6 a new Pod may be a second late: the node's end of its link answers no
// neighbour solicitation while duplicate address detection goes on there (RFC 4862 section
// 5.4), and the kubelet's probe is by the first family alone.
func (s *Scene) AwaitReady(ctx context.Context, name string, replicas int32) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		deployment, err := s.API.AppsV1().Deployments(s.Namespace).Get(ctx, name, metav1.GetOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(deployment.Status.ObservedGeneration).To(Equal(deployment.Generation))
		g.Expect(deployment.Status.UpdatedReplicas).To(Equal(replicas))
		g.Expect(deployment.Status.Replicas).To(Equal(replicas))
		g.Expect(deployment.Status.ReadyReplicas).To(Equal(replicas))
		pods, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector + "=" + name})
		g.Expect(err).NotTo(HaveOccurred())
		for _, pod := range pods.Items {
			if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
				continue
			}
			g.Expect(pod.Status.PodIPs).NotTo(BeEmpty(), pod.Name)
			for _, ip := range pod.Status.PodIPs {
				address, err := netip.ParseAddr(ip.IP)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(s.Get(ctx, pod.Spec.NodeName, address, HTTP)).Error().NotTo(HaveOccurred(), pod.Name)
			}
		}
	}).WithContext(ctx).Should(Succeed())
}
