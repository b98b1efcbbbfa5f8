package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// place is where a Pod's containers run: its network, its volumes, and what
// they learn from their environment.
type place struct {
	*sandbox
	kubelet   *Kubelet
	pod       *corev1.Pod
	directory string
	volumes   map[string]string // directory by volume name
	refresh   func()            // ends the refreshing of tokens
	server    corev1.ServiceSpec
}

// newPlace makes a Pod's place. Volumes come first: what they need may not be
// there yet.
func (k *Kubelet) newPlace(ctx context.Context, pod *corev1.Pod) (*place, error) {
	server, err := k.client.CoreV1().Services(metav1.NamespaceDefault).Get(ctx, "kubernetes", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	p := &place{
		kubelet:   k,
		pod:       pod,
		directory: filepath.Join(k.config.State, string(pod.UID)),
		server:    server.Spec,
	}
	if err := p.makeVolumes(ctx); err != nil {
		p.refresh()
		return nil, errors.Join(err, os.RemoveAll(p.directory))
	}
	if p.sandbox, err = k.newSandbox(pod); err != nil {
		p.refresh()
		return nil, errors.Join(err, os.RemoveAll(p.directory))
	}
	return p, nil
}

// close removes everything.
func (p *place) close() error {
	p.refresh()
	return errors.Join(p.sandbox.close(), os.RemoveAll(p.directory))
}

// workload makes a container of the Pod ready to run.
func (p *place) workload(spec *corev1.Container) (workload, error) {
	image, ok := p.kubelet.image(spec.Image)
	if !ok {
		return newServer(p, spec), nil
	}
	if spec.StartupProbe != nil || len(p.pod.Spec.InitContainers) > 0 {
		return nil, fmt.Errorf("startup probes and init containers are %w", errors.ErrUnsupported)
	}
	return newProcess(p, spec, image)
}
