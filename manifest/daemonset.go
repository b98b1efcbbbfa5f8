package manifest

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DaemonSet returns one for K3s, RKE2 and other clusters whose API is there before it.
func DaemonSet(o Options) (*appsv1.DaemonSet, error) {
	o.controlPlaneNodes = o.Taint || o.ControlPlane && !o.Services
	if o.ControlPlane && o.VIP.Health.CA == "" {
		o.clusterCA, o.VIP.Health.CA = true, caDirectory+"/"+caFile
	}
	if o.KeyDirectory == "" {
		o.secretKeys, o.KeyDirectory = true, keyDirectory
	}
	if err := o.Complete(); err != nil {
		return nil, err
	}
	spec := o.podSpec()
	if o.needsAccount() {
		spec.ServiceAccountName = name
	}
	spec.DNSPolicy = corev1.DNSClusterFirstWithHostNet
	spec.NodeSelector = map[string]string{corev1.LabelOSStable: string(corev1.Linux)}
	spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	if o.controlPlaneNodes {
		spec.Affinity = controlPlaneNodes()
	}
	return &appsv1.DaemonSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: o.Namespace, Labels: o.labels()},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: o.labels()},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type:          appsv1.RollingUpdateDaemonSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: new(intstr.FromInt32(1))},
			},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: o.labels()}, Spec: spec},
		},
	}, nil
}

// controlPlaneNodes are those that run an API server: RKE2 and K3s give the label the
// value true, kubeadm none.
func controlPlaneNodes() *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{
					{Key: "node-role.kubernetes.io/control-plane", Operator: corev1.NodeSelectorOpExists},
				},
			}},
		},
	}}
}

// needsAccount says whether anything talks to the API by the Pod's ServiceAccount.
func (o *Options) needsAccount() bool {
	for _, role := range o.Roles() {
		if role.Token && o.Kubeconfig == "" {
			return true
		}
	}
	return false
}
