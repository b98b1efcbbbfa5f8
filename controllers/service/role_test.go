package service

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func TestRoleIn(t *testing.T) {
	type facts struct {
		kind                         corev1.ServiceType
		class                        string
		ignored, deleting, condition bool
		served, classOnly            bool
	}
	for name, test := range map[string]struct {
		facts facts
		want  role
	}{
		"new":                             {facts{class: "ours"}, roleServe},
		"without a class":                 {facts{}, roleServe},
		"known":                           {facts{class: "ours", condition: true, served: true}, roleServe},
		"deleting":                        {facts{class: "ours", deleting: true, condition: true, served: true}, roleLeave},
		"deleting, never seen":            {facts{class: "ours", deleting: true}, roleLeave},
		"other type, known":               {facts{kind: corev1.ServiceTypeClusterIP, served: true}, roleLeave},
		"other type, of an earlier run":   {facts{kind: corev1.ServiceTypeClusterIP, condition: true}, roleLeave},
		"other type, never ours":          {facts{kind: corev1.ServiceTypeClusterIP}, roleNone},
		"ignored, known":                  {facts{ignored: true, served: true, condition: true}, roleLeave},
		"ignored, of an earlier run":      {facts{ignored: true, condition: true}, roleLeave},
		"ignored, never ours":             {facts{ignored: true}, roleNone},
		"foreign":                         {facts{class: "theirs"}, roleNone},
		"foreign, deleting":               {facts{class: "theirs", deleting: true}, roleNone},
		"foreign, with our condition":     {facts{class: "theirs", condition: true}, roleReserve},
		"foreign, with it, and deleting":  {facts{class: "theirs", condition: true, deleting: true}, roleLeave},
		"without a class now foreign":     {facts{classOnly: true, condition: true}, roleLeave},
		"without a class always foreign":  {facts{classOnly: true}, roleNone},
		"foreign now, and still known":    {facts{class: "theirs", served: true}, roleLeave},
		"foreign and ignored":             {facts{class: "theirs", ignored: true, condition: true}, roleReserve},
		"other type, of yet other origin": {facts{kind: corev1.ServiceTypeNodePort, deleting: true}, roleNone},
	} {
		t.Run(name, func(t *testing.T) {
			class := loadbalancer.Class{Names: []string{"ours"}, Default: !test.facts.classOnly}
			svc := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
			if test.facts.kind != "" {
				svc.Spec.Type = test.facts.kind
			}
			if test.facts.class != "" {
				svc.Spec.LoadBalancerClass = &test.facts.class
			}
			if test.facts.ignored {
				svc.Annotations = map[string]string{"kube-vip.io/ignore": "true"}
			}
			if test.facts.deleting {
				svc.DeletionTimestamp = &metav1.Time{}
				*svc.DeletionTimestamp = metav1.Now()
			}
			if test.facts.condition {
				svc.Status.Conditions = []metav1.Condition{{Type: loadbalancer.ConditionAddressAllocated}}
			}
			if got := roleIn(svc, class, test.facts.served); got != test.want {
				t.Errorf("role %d, want %d", got, test.want)
			}
		})
	}
}
