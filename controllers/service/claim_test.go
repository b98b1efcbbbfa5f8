package service

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/ipam"
)

func TestFamilies(t *testing.T) {
	four, six := corev1.IPv4Protocol, corev1.IPv6Protocol
	for name, test := range map[string]struct {
		policy   corev1.IPFamilyPolicy
		families []corev1.IPFamily
		want     []ipam.Family
		required int
	}{
		"single":                     {corev1.IPFamilyPolicySingleStack, []corev1.IPFamily{six}, []ipam.Family{ipam.IPv6}, 1},
		"preferred":                  {corev1.IPFamilyPolicyPreferDualStack, []corev1.IPFamily{six, four}, []ipam.Family{ipam.IPv6, ipam.IPv4}, 1},
		"preferred, of a single one": {corev1.IPFamilyPolicyPreferDualStack, []corev1.IPFamily{four}, []ipam.Family{ipam.IPv4}, 1},
		"required":                   {corev1.IPFamilyPolicyRequireDualStack, []corev1.IPFamily{four, six}, []ipam.Family{ipam.IPv4, ipam.IPv6}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			svc := &corev1.Service{Spec: corev1.ServiceSpec{IPFamilyPolicy: &test.policy, IPFamilies: test.families}}
			got, required := families(svc)
			if !cmp.Equal(got, test.want) || required != test.required {
				t.Errorf("%v, %d of them required; want %v, %d", got, required, test.want, test.required)
			}
		})
	}
}

func TestBackend(t *testing.T) {
	local := func(namespace, name string, selector map[string]string) *corev1.Service {
		svc := &corev1.Service{Spec: corev1.ServiceSpec{
			Type:                  corev1.ServiceTypeLoadBalancer,
			ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal,
			Selector:              selector,
		}}
		svc.Namespace, svc.Name = namespace, name
		return svc
	}
	one := map[string]string{"app": "web", "tier": "front"}
	base := backend(local("shop", "a", one))
	for name, test := range map[string]struct {
		svc  *corev1.Service
		same bool
	}{
		"the same selector":      {local("shop", "b", map[string]string{"tier": "front", "app": "web"}), true},
		"another selector":       {local("shop", "b", map[string]string{"app": "web"}), false},
		"another namespace":      {local("blog", "a", one), false},
		"endpoints made by hand": {local("shop", "a", nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := backend(test.svc) == base; got != test.same {
				t.Errorf("%q and %q", backend(test.svc), base)
			}
		})
	}
	if backend(local("shop", "a", nil)) == backend(local("shop", "b", nil)) {
		t.Error("endpoints made by hand are taken for the same")
	}
	cluster := local("shop", "a", one)
	cluster.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
	if got := backend(cluster); got != "" {
		t.Errorf("%q with policy Cluster, where any node serves", got)
	}
}
