package chart

import (
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/heraldlb/herald/release/kustomize"
)

// TestMonitors follows each ServiceMonitor as the Prometheus Operator does: to a Service, its port, a
// container's; and to the Secret that is shown there, whose account may read what is asked for.
func TestMonitors(t *testing.T) {
	text, err := kustomize.Render(compose(t, "base", "components/observability"))
	if err != nil {
		t.Fatal(err)
	}
	rendered := make(objects)
	rendered.add(t, text)
	workloads := pods(t, rendered)
	found := make(map[string]bool)
	for _, monitor := range all[monitoringv1.ServiceMonitor](t, rendered, "ServiceMonitor") {
		selected := 0
		for _, service := range all[corev1.Service](t, rendered, "Service") {
			if service.Namespace != monitor.Spec.NamespaceSelector.MatchNames[0] || !selects(t, monitor.Spec.Selector, service.Labels) {
				continue
			}
			selected++
			for workload, template := range workloads {
				if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(template.Labels)) {
					continue
				}
				for _, endpoint := range monitor.Spec.Endpoints {
					checkPort(t, service, endpoint, template)
					checkToken(t, rendered, monitor.Namespace, endpoint)
				}
				found[workload] = true
			}
		}
		if selected != 1 {
			t.Errorf("ServiceMonitor %s selects %d Services", monitor.Name, selected)
		}
	}
	if !found["herald"] || !found["herald-controller"] || len(found) != 2 {
		t.Errorf("monitored: %v", found)
	}
}

// checkPort follows an endpoint of a ServiceMonitor to a container's port.
func checkPort(t *testing.T, service corev1.Service, endpoint monitoringv1.Endpoint, template corev1.PodTemplateSpec) {
	t.Helper()
	for _, port := range service.Spec.Ports {
		if port.Name != endpoint.Port {
			continue
		}
		for _, container := range template.Spec.Containers {
			for _, its := range container.Ports {
				if its.Name == port.TargetPort.StrVal && its.ContainerPort == port.Port {
					return
				}
			}
		}
	}
	t.Errorf("the port %s of Service %s leads to no container's", endpoint.Port, service.Name)
}

// checkToken follows what is shown to an endpoint to the right to read metrics.
func checkToken(t *testing.T, rendered objects, namespace string, endpoint monitoringv1.Endpoint) {
	t.Helper()
	if endpoint.Scheme == nil || *endpoint.Scheme != "https" {
		if endpoint.Authorization != nil {
			t.Error("a token is shown in plain text")
		}
		return
	}
	shown := endpoint.Authorization.Credentials
	secret := one[corev1.Secret](t, rendered, "Secret "+namespace+"/"+shown.Name)
	account := secret.Annotations[corev1.ServiceAccountNameKey]
	one[corev1.ServiceAccount](t, rendered, "ServiceAccount "+namespace+"/"+account)
	if secret.Type != corev1.SecretTypeServiceAccountToken || shown.Key != corev1.ServiceAccountTokenKey {
		t.Errorf("the key %s of a Secret of type %s is no token", shown.Key, secret.Type)
	}
	for _, binding := range all[rbacv1.ClusterRoleBinding](t, rendered, "ClusterRoleBinding") {
		for _, subject := range binding.Subjects {
			if subject.Name != account || subject.Namespace != namespace {
				continue
			}
			role := one[rbacv1.ClusterRole](t, rendered, "ClusterRole <nil>/"+binding.RoleRef.Name)
			if len(role.Rules) == 1 && len(role.Rules[0].NonResourceURLs) == 1 && role.Rules[0].NonResourceURLs[0] == "/metrics" {
				return
			}
		}
	}
	t.Errorf("the account %s may not read metrics, or more", account)
}

// pods are the templates of the Pods, by the name of their workload.
func pods(t *testing.T, rendered objects) map[string]corev1.PodTemplateSpec {
	t.Helper()
	templates := make(map[string]corev1.PodTemplateSpec)
	for _, workload := range all[appsv1.Deployment](t, rendered, "Deployment") {
		templates[workload.Name] = workload.Spec.Template
	}
	for _, workload := range all[appsv1.DaemonSet](t, rendered, "DaemonSet") {
		templates[workload.Name] = workload.Spec.Template
	}
	return templates
}

func selects(t *testing.T, selector metav1.LabelSelector, of map[string]string) bool {
	t.Helper()
	return must(metav1.LabelSelectorAsSelector(&selector)).Matches(labels.Set(of))
}

// all returns the objects of a kind.
func all[T any](t *testing.T, rendered objects, kind string) []T {
	t.Helper()
	var some []T
	for name, object := range rendered {
		if object["kind"] == kind {
			some = append(some, one[T](t, rendered, name))
		}
	}
	return some
}

// one returns an object by its name, KIND NAMESPACE/NAME.
func one[T any](t *testing.T, rendered objects, name string) T {
	t.Helper()
	object, found := rendered[name]
	if !found {
		t.Fatalf("there is no %s", name)
	}
	var typed T
	if err := yaml.Unmarshal(must(yaml.Marshal(object)), &typed); err != nil {
		t.Fatal(err)
	}
	return typed
}
