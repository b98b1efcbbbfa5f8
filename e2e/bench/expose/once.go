package expose

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// exposeOnce makes a Service, times its way to the first answer, and removes it.
func (c *cluster) exposeOnce(ctx context.Context, name string, family corev1.IPFamily) (Run, error) {
	// A neighbour that the client knows from the run before would hide how
	// long the announcement takes.
	flush := c.site.Hosts.Command(ctx, c.site.Client, "ip", "neighbour", "flush", "dev", c.site.Interface)
	if output, err := flush.CombinedOutput(); err != nil {
		return Run{}, fmt.Errorf("flush the client's neighbours: %w: %s", err, output)
	}
	if err := c.create(ctx, name, family); err != nil {
		return Run{}, err
	}
	start, err := clock.Now()
	if err != nil {
		return Run{}, err
	}
	address, err := c.address(ctx, name)
	if err != nil {
		return Run{}, err
	}
	written, err := clock.Now()
	if err != nil {
		return Run{}, err
	}
	var got answer
	if err := errors.Join(c.encoder.Encode(question{Address: address, Since: start}), c.decoder.Decode(&got)); err != nil {
		return Run{}, fmt.Errorf("prober: %w", err)
	}
	if got.Error != "" {
		return Run{}, fmt.Errorf("%w: %s", errUnreached, got.Error)
	}
	measured := Run{Family: family, Status: written.Since(start), Reached: got.Reached.Since(start)}
	if got.Claimed != 0 {
		measured.Claimed = got.Claimed.Since(start)
	}
	if got.First != 0 {
		measured.First = got.First.Since(start)
	}
	return measured, c.remove(ctx, name)
}

func (c *cluster) create(ctx context.Context, name string, family corev1.IPFamily) error {
	policy := corev1.IPFamilyPolicySingleStack
	_, err := c.api.CoreV1().Services(c.namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{
			Type:           corev1.ServiceTypeLoadBalancer,
			IPFamilyPolicy: &policy,
			IPFamilies:     []corev1.IPFamily{family},
			Selector:       map[string]string{"app": "web"},
			Ports:          []corev1.ServicePort{{Port: servicePort}},
		},
	}, metav1.CreateOptions{})
	return err
}

// address waits until the Service's status has its address.
func (c *cluster) address(ctx context.Context, name string) (netip.Addr, error) {
	service, err := c.await(ctx, func(event watch.Event, service *corev1.Service) bool {
		return service.Name == name && event.Type != watch.Deleted && len(service.Status.LoadBalancer.Ingress) > 0
	})
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.ParseAddr(service.Status.LoadBalancer.Ingress[0].IP)
}

// remove deletes the Service and waits until it is gone.
func (c *cluster) remove(ctx context.Context, name string) error {
	if err := c.api.CoreV1().Services(c.namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	_, err := c.await(ctx, func(event watch.Event, service *corev1.Service) bool {
		return service.Name == name && event.Type == watch.Deleted
	})
	return err
}

func (c *cluster) await(ctx context.Context, found func(watch.Event, *corev1.Service) bool) (*corev1.Service, error) {
	for {
		select {
		case event, ok := <-c.services.ResultChan():
			if !ok {
				return nil, errWatchEnded
			}
			if service, ok := event.Object.(*corev1.Service); ok && found(event, service) {
				return service, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
