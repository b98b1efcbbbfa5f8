package expose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

const (
	servicePort = 80
	replicas    = 3
)

var errWatchEnded = errors.New("the watch ended")

// cluster is the ground with a namespace of the benchmark's own on it, Pods
// that are ready, and a prober on the client.
type cluster struct {
	site      ground.Ground
	api       kubernetes.Interface
	namespace string
	services  watch.Interface

	prober    *exec.Cmd
	questions io.WriteCloser
	encoder   *json.Encoder
	decoder   *json.Decoder
}

func newCluster(ctx context.Context, site ground.Ground) (*cluster, error) {
	api, err := kubernetes.NewForConfig(site.Config)
	if err != nil {
		return nil, err
	}
	namespace, err := api.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-"},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	c := &cluster{site: site, api: api, namespace: namespace.Name}
	if err := errors.Join(c.deploy(ctx), c.watchServices(ctx), c.startProber(ctx)); err != nil {
		c.close(context.WithoutCancel(ctx))
		return nil, err
	}
	return c, nil
}

// close removes everything; what goes wrong then has no bearing on the figures.
func (c *cluster) close(ctx context.Context) {
	if c.questions != nil {
		_ = c.questions.Close()
		_ = c.prober.Wait()
	}
	if c.services != nil {
		c.services.Stop()
	}
	_ = c.api.CoreV1().Namespaces().Delete(ctx, c.namespace, metav1.DeleteOptions{})
}

// deploy makes the Pods and waits until they are ready.
func (c *cluster) deploy(ctx context.Context) error {
	labels := map[string]string{"app": "web"}
	count := int32(replicas)
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &count,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name:  "web",
					Image: "web",
					Ports: []corev1.ContainerPort{{ContainerPort: servicePort}},
				}}},
			},
		},
	}
	if _, err := c.api.AppsV1().Deployments(c.namespace).Create(ctx, deployment, metav1.CreateOptions{}); err != nil {
		return err
	}
	list := cache.NewListWatchFromClient(c.api.AppsV1().RESTClient(), "deployments", c.namespace, fields.Everything())
	_, err := watchtools.UntilWithSync(ctx, list, &appsv1.Deployment{}, nil, func(event watch.Event) (bool, error) {
		deployment, ok := event.Object.(*appsv1.Deployment)
		return ok && deployment.Status.ReadyReplicas == replicas, nil
	})
	return err
}

func (c *cluster) watchServices(ctx context.Context) (err error) {
	c.services, err = c.api.CoreV1().Services(c.namespace).Watch(ctx, metav1.ListOptions{})
	return err
}

func (c *cluster) startProber(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	c.prober = c.site.Hosts.Command(ctx, c.site.Client, program, "prober", c.site.Interface)
	c.prober.Stderr = os.Stderr
	questions, err := c.prober.StdinPipe()
	if err != nil {
		return err
	}
	answers, err := c.prober.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.prober.Start(); err != nil {
		return fmt.Errorf("prober: %w", err)
	}
	c.questions, c.encoder, c.decoder = questions, json.NewEncoder(questions), json.NewDecoder(answers)
	return nil
}
