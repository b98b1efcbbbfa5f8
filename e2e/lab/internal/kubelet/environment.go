package kubelet

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resources "k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// environment returns a container's environment by name.
func (p *place) environment(spec *corev1.Container) (map[string]string, error) {
	if len(spec.EnvFrom) > 0 {
		return nil, fmt.Errorf("envFrom: %w", errors.ErrUnsupported)
	}
	environment := map[string]string{
		"PATH":                    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME":                p.pod.Name,
		"KUBERNETES_SERVICE_HOST": p.server.ClusterIP,
		"KUBERNETES_SERVICE_PORT": fmt.Sprint(p.server.Ports[0].Port),
	}
	for _, variable := range spec.Env {
		value, err := p.value(spec, variable, environment)
		if err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", variable.Name, err)
		}
		environment[variable.Name] = value
	}
	return environment, nil
}

func (p *place) value(spec *corev1.Container, variable corev1.EnvVar, known map[string]string) (string, error) {
	from := variable.ValueFrom
	switch {
	case from == nil:
		return expansion.Expand(variable.Value, expansion.MappingFuncFor(known)), nil
	case from.FieldRef != nil:
		return p.field(from.FieldRef.FieldPath)
	case from.ResourceFieldRef != nil:
		return resources.ExtractContainerResourceValue(from.ResourceFieldRef, spec)
	default:
		return "", fmt.Errorf("only fields and resources: %w", errors.ErrUnsupported)
	}
}

// field returns a field of the Pod for the downward API.
func (p *place) field(path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return p.pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return p.pod.Spec.ServiceAccountName, nil
	case "status.hostIP":
		return p.kubelet.config.Addresses[0].String(), nil
	case "status.hostIPs":
		return list(p.kubelet.config.Addresses), nil
	case "status.podIP":
		return p.addresses[0].String(), nil
	case "status.podIPs":
		return list(p.addresses), nil
	default:
		return fieldpath.ExtractFieldPathAsString(p.pod, path)
	}
}

func list(addresses []netip.Addr) string {
	var texts []string
	for _, address := range addresses {
		texts = append(texts, address.String())
	}
	return strings.Join(texts, ",")
}
