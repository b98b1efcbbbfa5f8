package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/authz"
)

const (
	// Path is where an agent serves its announcer.View, on its metrics port.
	Path = "/membership"
	// PathBGP is where it serves how its sessions with routers stand.
	PathBGP = "/bgp"
	// account is the ServiceAccount that may get both, and metrics.
	account = "herald-status"
	// tokenSeconds is the least that the API server grants.
	tokenSeconds = 600
	// patience is for one agent; atOnce bounds those that are asked at a time.
	patience = 5 * time.Second
	atOnce   = 32
)

// askAgents asks the agent in each Pod how it sees the membership, and what routers it
// has sessions with. They are asked through the API server, so a kubeconfig is all it
// takes.
func askAgents(ctx context.Context, core corev1client.CoreV1Interface, namespace string, pods []corev1.Pod) []Node {
	nodes := make([]Node, len(pods))
	for i := range pods {
		nodes[i].Name = pods[i].Spec.NodeName
	}
	// The API server takes the caller's own credentials off what it passes on.
	seconds := int64(tokenSeconds)
	granted, err := core.ServiceAccounts(namespace).CreateToken(ctx, account, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		for i := range nodes {
			nodes[i].Error = fmt.Sprintf("no token of ServiceAccount %s/%s to ask with: %v", namespace, account, err)
		}
		return nodes
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range pods {
		group.Go(func() error {
			a := asker{core: core, pod: &pods[i], token: granted.Status.Token}
			view, err := ask[announcer.View](ctx, a, Path)
			if err != nil {
				nodes[i].Error = err.Error()
			}
			nodes[i].View = view
			// An agent of an older version has no such page, and no sessions.
			if report, err := ask[advertisement.Report](ctx, a, PathBGP); err == nil {
				nodes[i].BGP = report
			} else if !apierrors.IsNotFound(err) {
				nodes[i].BGPError = err.Error()
			}
			return nil
		})
	}
	_ = group.Wait() // each error is in its node
	return nodes
}

var errNoPort = errors.New("its agent has no port named metrics")

// asker asks the agent in one Pod.
type asker struct {
	core  corev1client.CoreV1Interface
	pod   *corev1.Pod
	token string
}

// ask returns what is served on a path.
func ask[T any](ctx context.Context, a asker, path string) (*T, error) {
	port, ok := metricsPort(a.pod)
	if !ok {
		return nil, errNoPort
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := a.core.RESTClient().Get().
		Namespace(a.pod.Namespace).Resource("pods").SubResource("proxy").
		Name(fmt.Sprintf("https:%s:%d", a.pod.Name, port)).
		Suffix(path).
		SetHeader(authz.Header, "Bearer "+a.token).
		DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the agent in %s: %w", a.pod.Name, err)
	}
	answer := new(T)
	if err := json.Unmarshal(body, answer); err != nil {
		return nil, fmt.Errorf("understand the agent in %s: %w", a.pod.Name, err)
	}
	return answer, nil
}

func metricsPort(pod *corev1.Pod) (int32, bool) {
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == "metrics" {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}
