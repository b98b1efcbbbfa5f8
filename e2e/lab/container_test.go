package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/heraldlb/herald/e2e/lab"
)

// identity is what testdata/identity prints of itself.
type identity struct {
	PID                     int
	Args                    []string
	User, Group             int
	Groups                  []int
	Capabilities, Effective string
	NoNew, Token            string
	Root                    []string
	RootIsShut              bool
	Environment             []string
}

// TestContainer: a container of Herald's image has what its Pod says and no
// more, is probed, started again, and told to end.
func TestContainer(t *testing.T) {
	source, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	buildIdentity(t, source, newCheckout(t))
	parameters := lab.Defaults()
	parameters.Nodes, parameters.Family = 1, lab.V4
	cluster := up(t, parameters)
	config, err := cluster.RESTConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx := bounded(t)
	awaitAccount(ctx, t, client)
	pods := client.CoreV1().Pods("default")
	if _, err := pods.Create(ctx, identityPod(), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	first := awaitReady(ctx, t, client, 0)
	checkIdentity(t, readIdentity(ctx, t, cluster), config, first)

	if _, err := cluster.Host("node1").Run(ctx, "sh", "-c", "kill -KILL "+processID(t, first)); err != nil {
		t.Fatal(err)
	}
	if second := awaitReady(ctx, t, client, 1); processID(t, second) == processID(t, first) {
		t.Error("the container was not started again")
	}
	if err := pods.Delete(ctx, "herald", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	awaitGone(ctx, t, client)
	if log := readLog(ctx, t, cluster); !bytes.HasSuffix(log, []byte("told to end\n")) {
		t.Errorf("the container was not told to end: %s", log)
	}
	left, err := cluster.Host("node1").Run(ctx, "sh", "-c", "ls /run/lab/kubelet/node1; ip -o link | grep pod || true")
	if err != nil || len(left) > 0 {
		t.Errorf("left of the Pod: %s, %v", left, err)
	}
}

// buildIdentity makes the stand-in the checkout's Herald.
func buildIdentity(t *testing.T, source, checkout string) {
	t.Helper()
	for _, name := range []string{"herald", "herald-announcer"} {
		build := exec.CommandContext(bounded(t), "go", "build", "-o", filepath.Join(checkout, "bin", name), filepath.Join(source, "testdata", "identity", "main.go"))
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
}

func identityPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "herald", Labels: map[string]string{"color": "red"}},
		Spec: corev1.PodSpec{
			SecurityContext: &corev1.PodSecurityContext{FSGroup: new(int64(5678)), RunAsUser: new(int64(1234)), RunAsGroup: new(int64(4321))},
			Volumes:         []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
			Containers: []corev1.Container{{
				Name:         "identity",
				Image:        "registry.example:5000/some/herald:v1",
				Args:         []string{"run", "--node=$(NODE)"},
				VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
				Env: []corev1.EnvVar{
					{Name: "NODE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}},
					{Name: "COLOR", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['color']"}}},
				},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/herald", "probe"}}}},
				SecurityContext: &corev1.SecurityContext{
					ReadOnlyRootFilesystem:   new(true),
					AllowPrivilegeEscalation: new(false),
					Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"NET_RAW"}},
				},
			}},
		},
	}
}

func checkIdentity(t *testing.T, got identity, config *rest.Config, pod *corev1.Pod) {
	t.Helper()
	// In an ordinary user's namespace there is one user, who has no rights here.
	user, group, capabilities := 0, 0, "0000000000000000"
	if os.Geteuid() == 0 {
		user, group, capabilities = 1234, 4321, "0000000000002000"
		if !slices.Equal(got.Groups, []int{5678}) {
			t.Errorf("supplementary groups %v", got.Groups)
		}
	}
	switch {
	case got.PID != 1:
		t.Errorf("process id %d, want 1", got.PID)
	case !slices.Equal(got.Args, []string{"run", "--node=node1"}):
		t.Errorf("arguments %q", got.Args)
	case got.User != user || got.Group != group:
		t.Errorf("user %d, group %d, want %d, %d", got.User, got.Group, user, group)
	case got.Capabilities != capabilities || got.Effective != "0000000000000000":
		t.Errorf("capabilities %s, effective %s, want %s and none", got.Capabilities, got.Effective, capabilities)
	case got.NoNew != "1":
		t.Error("it may gain privileges")
	case !got.RootIsShut:
		t.Error("the root file system is writable")
	case !slices.Equal(got.Root, []string{"data", "dev", "etc", "herald", "herald-announcer", "proc", "sys", "var"}):
		t.Errorf("the root directory has %q", got.Root)
	}
	for _, want := range []string{"COLOR=red", "NODE=node1", "KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"} {
		if !slices.Contains(got.Environment, want) {
			t.Errorf("the environment has no %s: %q", want, got.Environment)
		}
	}
	checkToken(t, got.Token, config, pod)
}

// checkToken: the token is the Pod's ServiceAccount's, bound to the Pod.
func checkToken(t *testing.T, token string, config *rest.Config, pod *corev1.Pod) {
	t.Helper()
	config = rest.AnonymousClientConfig(config)
	config.BearerToken = token
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	review, err := client.AuthenticationV1().SelfSubjectReviews().Create(bounded(t), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	info := review.Status.UserInfo
	if info.Username != "system:serviceaccount:default:default" || !slices.Equal(info.Extra["authentication.kubernetes.io/pod-uid"], []string{string(pod.UID)}) {
		t.Errorf("the token is of %+v", info)
	}
}

// awaitAccount waits for the namespace's ServiceAccount, which a Pod needs.
func awaitAccount(ctx context.Context, t *testing.T, client kubernetes.Interface) {
	t.Helper()
	await(ctx, t, named(client.CoreV1().RESTClient(), "serviceaccounts", "default"), &corev1.ServiceAccount{}, func(object runtime.Object) bool {
		return object.(*corev1.ServiceAccount).Namespace == "default"
	})
}

func awaitReady(ctx context.Context, t *testing.T, client kubernetes.Interface, restarts int32) *corev1.Pod {
	t.Helper()
	var ready *corev1.Pod
	await(ctx, t, named(client.CoreV1().RESTClient(), "pods", "herald"), &corev1.Pod{}, func(object runtime.Object) bool {
		ready = object.(*corev1.Pod)
		statuses := ready.Status.ContainerStatuses
		return len(statuses) == 1 && statuses[0].Ready && statuses[0].RestartCount == restarts
	})
	return ready
}

func awaitGone(ctx context.Context, t *testing.T, client kubernetes.Interface) {
	t.Helper()
	empty := func(store cache.Store) (bool, error) { return len(store.List()) == 0, nil }
	_, err := watchtools.UntilWithSync(ctx, named(client.CoreV1().RESTClient(), "pods", "herald"), &corev1.Pod{}, empty, func(event watch.Event) (bool, error) {
		return event.Type == watch.Deleted, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// processID returns the container's process id inside the lab.
func processID(t *testing.T, pod *corev1.Pod) string {
	t.Helper()
	var pid int
	if _, err := fmt.Sscanf(pod.Status.ContainerStatuses[0].ContainerID, "lab://%d", &pid); err != nil || pid == 0 {
		t.Fatalf("container id %q: %v", pod.Status.ContainerStatuses[0].ContainerID, err)
	}
	return fmt.Sprint(pid)
}

func readLog(ctx context.Context, t *testing.T, cluster *lab.Cluster) []byte {
	t.Helper()
	log, err := cluster.Log(ctx, "node1/herald_identity.log")
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func readIdentity(ctx context.Context, t *testing.T, cluster *lab.Cluster) identity {
	t.Helper()
	var got identity
	log := readLog(ctx, t, cluster)
	if err := json.Unmarshal(log, &got); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	return got
}
