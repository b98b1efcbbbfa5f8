package service_test

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// option changes a Service before it is created or updated.
type option func(*corev1.Service)

func annotated(name, value string) option {
	return func(svc *corev1.Service) { metav1.SetMetaDataAnnotation(&svc.ObjectMeta, name, value) }
}

func families(policy corev1.IPFamilyPolicy, families ...corev1.IPFamily) option {
	return func(svc *corev1.Service) {
		svc.Spec.IPFamilyPolicy, svc.Spec.IPFamilies = &policy, families
	}
}

func ports(all ...corev1.ServicePort) option {
	return func(svc *corev1.Service) {
		for i := range all {
			all[i].Name = fmt.Sprintf("%s-%d", strings.ToLower(string(all[i].Protocol)), all[i].Port)
		}
		svc.Spec.Ports = all
	}
}

func tcp(port int32) corev1.ServicePort {
	return corev1.ServicePort{Protocol: corev1.ProtocolTCP, Port: port}
}

func udp(port int32) corev1.ServicePort {
	return corev1.ServicePort{Protocol: corev1.ProtocolUDP, Port: port}
}

func ofType(kind corev1.ServiceType) option {
	return func(svc *corev1.Service) {
		svc.Spec.Type = kind
		if kind == corev1.ServiceTypeExternalName {
			svc.Spec.ExternalName = "example.com"
		}
	}
}

func ofClass(class string) option {
	return func(svc *corev1.Service) { svc.Spec.LoadBalancerClass = &class }
}

func withoutClass() option {
	return func(svc *corev1.Service) { svc.Spec.LoadBalancerClass = nil }
}
