package lab_test

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/utils/ptr"

	"github.com/heraldlb/herald/e2e/lab"
)

// TestCluster: Pods, Services and faults on a lab of two nodes.
func TestCluster(t *testing.T) {
	newCheckout(t)
	parameters := lab.Defaults()
	parameters.Nodes = 2
	cluster := up(t, parameters)
	config, err := cluster.RESTConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("Service", func(t *testing.T) { testService(t, cluster, client) })
	t.Run("kubelet", func(t *testing.T) { testKubelet(t, cluster, client) })
	t.Run("link", func(t *testing.T) { testLink(t, cluster) })
	t.Run("neighbour", func(t *testing.T) { testNeighbour(t, cluster) })
	t.Run("cancel", func(t *testing.T) { testCancel(t, cluster) })
}

// testService: a Pod on node2 answers node1 at the Service's addresses.
func testService(t *testing.T, cluster *lab.Cluster, client kubernetes.Interface) {
	ctx := bounded(t)
	labels := map[string]string{"app": "web"}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					NodeSelector: map[string]string{corev1.LabelHostname: "node2"},
					Containers:   []corev1.Container{{Name: "web", Image: "web", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}},
				},
			},
		},
	}
	if _, err := client.AppsV1().Deployments("default").Create(ctx, deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	service, err := client.CoreV1().Services("default").Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{
			Selector:       labels,
			Ports:          []corev1.ServicePort{{Port: 8080}},
			IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicyRequireDualStack),
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	await(ctx, t, named(client.AppsV1().RESTClient(), "deployments", "web"), &appsv1.Deployment{}, func(object runtime.Object) bool {
		return object.(*appsv1.Deployment).Status.AvailableReplicas == 1
	})
	askService(ctx, t, cluster, service.Spec.ClusterIPs)
}

// askService asks for the Service from node1; a Pod on node2 has to answer.
func askService(ctx context.Context, t *testing.T, cluster *lab.Cluster, addresses []string) {
	t.Helper()
	for _, address := range addresses {
		// kube-proxy may be a moment behind: it refuses what it knows no Pod for, and the router has no route
		// to what it does not know yet.
		output, err := cluster.Host("node1").Run(ctx, "curl", "--silent", "--show-error", "--max-time", "5",
			"--retry", "20", "--retry-delay", "1", "--retry-all-errors", "http://"+net.JoinHostPort(address, "8080"))
		if err != nil {
			t.Error(err)
			continue
		}
		var answer lab.Answer
		if err := json.Unmarshal(output, &answer); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if answer.Node != "node2" || !strings.HasPrefix(answer.Name, "web-") {
			t.Errorf("%s answered %+v, want a Pod on node2", address, answer)
		}
	}
}

// testKubelet: a node whose kubelet ends becomes NotReady, and returns with
// its Pods.
func testKubelet(t *testing.T, cluster *lab.Cluster, client kubernetes.Interface) {
	ctx := bounded(t)
	node := cluster.Host("node2")
	ready := func(want corev1.ConditionStatus) {
		await(ctx, t, named(client.CoreV1().RESTClient(), "nodes", node.Name), &corev1.Node{}, func(object runtime.Object) bool {
			for _, condition := range object.(*corev1.Node).Status.Conditions {
				if condition.Type == corev1.NodeReady {
					return condition.Status == want
				}
			}
			return false
		})
	}
	if err := node.Start(ctx, "kubelet"); err == nil {
		t.Error("a kubelet that runs was started again")
	}
	if err := node.Signal(ctx, "kubelet", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ready(corev1.ConditionUnknown)
	if err := node.Start(ctx, "kubelet"); err != nil {
		t.Fatal(err)
	}
	ready(corev1.ConditionTrue)
	service, err := client.CoreV1().Services("default").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	askService(ctx, t, cluster, service.Spec.ClusterIPs)
	if err := node.Signal(ctx, "etcd", syscall.SIGKILL); err == nil {
		t.Error("node2 has no etcd, and yet it was killed")
	}
}

// testLink: a link that was down has its routes again, and a port that was
// down its traffic.
func testLink(t *testing.T, cluster *lab.Cluster) {
	ctx := bounded(t)
	node, router := cluster.Host("node1"), cluster.Host("router")
	routes := func() string {
		output, err := node.Run(ctx, "sh", "-c", "ip -o route show; ip -o -6 route show | grep -v fe80 | sort")
		if err != nil {
			t.Fatal(err)
		}
		return string(output)
	}
	before := routes()
	if err := node.LinkDown(ctx); err != nil {
		t.Fatal(err)
	}
	if routes() == before {
		t.Error("the routes outlived their link")
	}
	if err := node.LinkUp(ctx); err != nil {
		t.Fatal(err)
	}
	if after := routes(); after != before {
		t.Errorf("routes after the link came up:\n%s\nbefore:\n%s", after, before)
	}
	ping := func() error {
		_, err := router.Run(ctx, "ping", "-c1", "-W1", node.Addresses[0].String())
		return err
	}
	if err := node.PortDown(ctx); err != nil {
		t.Fatal(err)
	}
	if ping() == nil {
		t.Error("a host answers with its port down")
	}
	if err := node.PortUp(ctx); err != nil {
		t.Fatal(err)
	}
	if err := ping(); err != nil {
		t.Error(err)
	}
}

// testNeighbour: the neighbour table tells which host answered.
func testNeighbour(t *testing.T, cluster *lab.Cluster) {
	ctx := bounded(t)
	client, node := cluster.Host("client"), cluster.Host("node2")
	for _, address := range node.Addresses {
		if _, err := client.Run(ctx, "ping", "-c1", "-W5", address.String()); err != nil {
			t.Fatal(err)
		}
		mac, err := client.Neighbour(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		if owner, ok := cluster.Owner(mac); !ok || owner.Name != node.Name {
			t.Errorf("%s is at %q, which is %q's, want %s", address, mac, owner.Name, node.Name)
		}
	}
}

// testCancel: a command ends with its context, inside the lab, too.
func testCancel(t *testing.T, cluster *lab.Cluster) {
	ctx, cancel := context.WithCancel(bounded(t))
	client := cluster.Host("client")
	cmd := client.Command(ctx, "sh", "-c", "echo; exec tail -f /dev/null")
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 1)
	if _, err := output.Read(line); err != nil { // it runs
		t.Fatal(err)
	}
	cancel()
	// The pipe ends when the last process that holds it has ended.
	if n, err := output.Read(line); err == nil {
		t.Errorf("read %d bytes of a command that was cancelled", n)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("a command that was cancelled succeeded")
	}
}

// named lists and watches the one object of that name.
func named(client cache.Getter, resource, name string) cache.ListerWatcher {
	return cache.NewListWatchFromClient(client, resource, metav1.NamespaceAll, fields.OneTermEqualSelector(metav1.ObjectNameField, name))
}

// await waits until the listed object is as wanted.
func await(ctx context.Context, t *testing.T, list cache.ListerWatcher, kind runtime.Object, wanted func(runtime.Object) bool) {
	t.Helper()
	_, err := watchtools.UntilWithSync(ctx, list, kind, nil, func(event watch.Event) (bool, error) {
		return wanted(event.Object), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
