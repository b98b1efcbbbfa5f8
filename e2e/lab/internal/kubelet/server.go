package kubelet

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/echo"
)

// server stands in for an image that is not Herald's: it answers on every port
// of its container with who it is and who asked. Without ports it has 80.
type server struct {
	place *place
	ports []corev1.ContainerPort
}

func newServer(place *place, spec *corev1.Container) *server {
	ports := spec.Ports
	if len(ports) == 0 {
		ports = []corev1.ContainerPort{{ContainerPort: 80}}
	}
	return &server{place: place, ports: ports}
}

// run answers until stop ends.
func (s *server) run(_, stop context.Context, started func(pid int)) (int32, error) {
	group, stop := errgroup.WithContext(stop)
	for _, port := range s.ports {
		if err := s.serve(stop, group, port); err != nil {
			return 1, errors.Join(fmt.Errorf("port %d: %w", port.ContainerPort, err), group.Wait())
		}
	}
	started(0)
	<-stop.Done()
	if err := group.Wait(); err != nil {
		return 1, err
	}
	return 0, nil
}

// exec succeeds: there is nothing that could fail.
func (s *server) exec(context.Context, []string) error { return nil }

// serve opens a port inside the Pod and answers there until ctx ends.
func (s *server) serve(ctx context.Context, group *errgroup.Group, port corev1.ContainerPort) error {
	switch port.Protocol {
	case corev1.ProtocolUDP:
		var conn *net.UDPConn
		err := s.place.Do(func() (err error) {
			conn, err = net.ListenUDP("udp", &net.UDPAddr{Port: int(port.ContainerPort)})
			return err
		})
		if err == nil {
			group.Go(func() error { return s.self().UDP(ctx, conn, s.place.kubelet.log) })
		}
		return err
	case corev1.ProtocolSCTP:
		return fmt.Errorf("SCTP: %w", errors.ErrUnsupported)
	default:
		var listener net.Listener
		err := s.place.Do(func() (err error) {
			listener, err = net.ListenTCP("tcp", &net.TCPAddr{Port: int(port.ContainerPort)})
			return err
		})
		if err == nil {
			group.Go(func() error { return s.self().HTTP(ctx, listener) })
		}
		return err
	}
}

func (s *server) self() echo.Pod {
	return echo.Pod{Name: s.place.pod.Name, Namespace: s.place.pod.Namespace, Node: s.place.pod.Spec.NodeName}
}
