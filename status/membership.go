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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/authz"
)

const (
	// Path is where an agent serves its announcer.View, on its metrics port.
	Path = "/membership"
	// account is the ServiceAccount that may get Path, and nothing else.
	account = "herald-status"
	// tokenSeconds is the least that the API server grants.
	tokenSeconds = 600
	// patience is for one agent; atOnce bounds those that are asked at a time.
	patience = 5 * time.Second
	atOnce   = 32
)

// askAgents asks the agent in each Pod how it sees the membership. They are
// asked through the API server, so a kubeconfig is all it takes.
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
			view, err := ask(ctx, core, &pods[i], granted.Status.Token)
			if err != nil {
				nodes[i].Error = err.Error()
			}
			nodes[i].View = view
			return nil
		})
	}
	_ = group.Wait() // each error is in its node
	return nodes
}

var errNoPort = errors.New("its agent has no port named metrics")

func ask(ctx context.Context, core corev1client.CoreV1Interface, pod *corev1.Pod, token string) (*announcer.View, error) {
	port, ok := metricsPort(pod)
	if !ok {
		return nil, errNoPort
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := core.RESTClient().Get().
		Namespace(pod.Namespace).Resource("pods").SubResource("proxy").
		Name(fmt.Sprintf("https:%s:%d", pod.Name, port)).
		Suffix(Path).
		SetHeader(authz.Header, "Bearer "+token).
		DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the agent in %s: %w", pod.Name, err)
	}
	view := new(announcer.View)
	if err := json.Unmarshal(body, view); err != nil {
		return nil, fmt.Errorf("understand the agent in %s: %w", pod.Name, err)
	}
	return view, nil
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
