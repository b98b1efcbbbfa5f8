package loadbalancer

import (
	"cmp"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestClass(t *testing.T) {
	named := Class{Names: []string{DefaultClass, "example.com/second"}}
	byDefault := Class{Names: named.Names, Default: true}
	none, ours, second, other := "", DefaultClass, "example.com/second", "example.com/other"
	for name, test := range map[string]struct {
		class            Class
		kind             corev1.ServiceType
		value            *string
		ignore, ignoreAs string
		matches, foreign bool
	}{
		"ours":                       {class: named, value: &ours, matches: true},
		"the second of ours":         {class: named, value: &second, matches: true},
		"another":                    {class: named, value: &other, foreign: true},
		"none, not the default":      {class: named, foreign: true},
		"none, the default":          {class: byDefault, matches: true},
		"another, we as default":     {class: byDefault, value: &other, foreign: true},
		"empty text is a class":      {class: byDefault, value: &none, foreign: true},
		"to be ignored":              {class: named, value: &ours, ignore: "true"},
		"to be ignored, to kube-vip": {class: named, value: &ours, ignore: "true", ignoreAs: kubeVIPIgnore},
		"not to be ignored":          {class: named, value: &ours, ignore: "false", matches: true},
		"not a load balancer":        {class: byDefault, kind: corev1.ServiceTypeClusterIP},
		"not a load balancer, named": {class: named, kind: corev1.ServiceTypeNodePort, value: &other},
	} {
		t.Run(name, func(t *testing.T) {
			svc := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: test.value}}
			if test.kind != "" {
				svc.Spec.Type = test.kind
			}
			svc.Annotations = map[string]string{cmp.Or(test.ignoreAs, AnnotationIgnore): test.ignore}
			if got := test.class.Matches(svc); got != test.matches {
				t.Errorf("Matches is %t", got)
			}
			if got := test.class.Foreign(svc); got != test.foreign {
				t.Errorf("Foreign is %t", got)
			}
		})
	}
}

func TestAnnotations(t *testing.T) {
	for name, test := range map[string]struct {
		annotations        map[string]string
		key, interfaceName string
	}{
		"none":              {},
		"ours":              {annotations: map[string]string{AnnotationSharingKey: " k ", AnnotationInterface: "eth1"}, key: "k", interfaceName: "eth1"},
		"ours come first":   {annotations: map[string]string{metalLBSharing: "x", AnnotationSharingKey: "k", kubeVIPInterface: "eth2", AnnotationInterface: "eth1"}, key: "k", interfaceName: "eth1"},
		"others'":           {annotations: map[string]string{metalLBSharing: "k", kubeVIPInterface: "eth2"}, key: "k", interfaceName: "eth2"},
		"MetalLB's old":     {annotations: map[string]string{metalLBSharingDeprecated: "k"}, key: "k"},
		"kube-vip's choice": {annotations: map[string]string{kubeVIPInterface: "auto"}},
	} {
		t.Run(name, func(t *testing.T) {
			svc := &corev1.Service{}
			svc.Annotations = test.annotations
			if got := SharingKey(svc); got != test.key {
				t.Errorf("sharing key %q, want %q", got, test.key)
			}
			if got := Interface(svc); got != test.interfaceName {
				t.Errorf("interface %q, want %q", got, test.interfaceName)
			}
		})
	}
}
