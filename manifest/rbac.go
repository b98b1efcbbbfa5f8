package manifest

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	rbacVersion = "rbac.authorization.k8s.io/v1"
	statusName  = "herald-status"

	// bgpSecret is the agent's default, in the namespace of the pools.
	bgpSecret = "herald-bgp"

	defaultLease    = "plndr-cp-lock"
	controllerLease = "herald-controller"
)

// RBAC returns the ServiceAccount of the DaemonSet of the same options, and what it may
// do: no more than they take. It is none where nothing talks to the API.
func RBAC(o Options) ([]any, error) {
	o.Kubeconfig = "" // a ServiceAccount is what rights are for
	if err := o.Complete(); err != nil {
		return nil, err
	}
	if !o.needsAccount() {
		return nil, nil
	}
	objects := []any{account(name, o.Namespace)}
	if rules := o.clusterRules(); rules != nil {
		objects = append(objects, clusterRole(name, rules), clusterBinding(name, o.Namespace))
	}
	for _, role := range o.roles() {
		objects = append(objects, &role, o.binding(role))
	}
	if o.Services {
		rules := []rbacv1.PolicyRule{{NonResourceURLs: []string{"/bgp", "/membership", "/metrics"}, Verbs: []string{"get"}}}
		objects = append(objects, account(statusName, o.Namespace), clusterRole(statusName, rules), clusterBinding(statusName, o.Namespace))
	}
	return objects, nil
}

func (o *Options) clusterRules() []rbacv1.PolicyRule {
	read := []string{"list", "watch"}
	if !o.Services {
		if o.backendsFromAPI() && o.VIP.BackendSource == "nodes" {
			return []rbacv1.PolicyRule{rule("", "nodes", nil, read...)}
		}
		return nil
	}
	return []rbacv1.PolicyRule{
		rule("", "services", nil, "get", "list", "watch"),
		rule("", "nodes", nil, read...),
		rule("discovery.k8s.io", "endpointslices", nil, read...),
		rule("", "services/status", nil, "patch"),
		rule("events.k8s.io", "events", nil, "create", "patch"),
		rule("", "namespaces", []string{"kube-system"}, "get"), // its UID tells clusters apart
		rule("authentication.k8s.io", "tokenreviews", nil, "create"),
		rule("authorization.k8s.io", "subjectaccessreviews", nil, "create"),
	}
}

// roles are one for each namespace that something is needed in.
func (o *Options) roles() []rbacv1.Role {
	var own, elsewhere []rbacv1.PolicyRule
	var leases []string
	if o.ControlPlane && o.VIP.Elector == ElectorLease {
		leases = append(leases, or(o.Lease.Name, defaultLease))
	}
	var all []rbacv1.Role
	if o.Services {
		leases = append(leases, controllerLease)
		namespace, configMap, _ := strings.Cut(o.Service.Pools, "/")
		elsewhere = append(elsewhere,
			rule("", "configmaps", []string{configMap}, "list", "watch"),
			rule("", "secrets", []string{bgpSecret}, "list", "watch"))
		own = append(own, rule("", "events", nil, "create", "patch")) // who allocates
		if namespace == o.Namespace {
			own = append(own, elsewhere...)
		} else {
			all = append(all, role(namespace, elsewhere))
		}
	}
	if leases != nil {
		own = append(own,
			rule("coordination.k8s.io", "leases", leases, "get", "update"),
			rule("coordination.k8s.io", "leases", nil, "create")) // a name cannot be asked of what is yet to be created
		all = append(all, role(o.Namespace, own))
	}
	if !o.Services && o.backendsFromAPI() && o.VIP.BackendSource == "endpoints" {
		all = append(all, role(metav1.NamespaceDefault, []rbacv1.PolicyRule{rule("discovery.k8s.io", "endpointslices", nil, "list", "watch")}))
	}
	return all
}

func rule(group, resource string, names []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: names, Verbs: verbs}
}

func account(name, namespace string) *corev1.ServiceAccount {
	off := false
	return &corev1.ServiceAccount{
		TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta:                   metav1.ObjectMeta{Name: name, Namespace: namespace},
		AutomountServiceAccountToken: &off,
	}
}

func clusterRole(name string, rules []rbacv1.PolicyRule) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacVersion, Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: clusterName(name)},
		Rules:      rules,
	}
}

// clusterName is no other's: deploy/ has a herald-status, too, of another namespace.
func clusterName(role string) string {
	return strings.Replace(role, name, name+"-manifest", 1)
}

func clusterBinding(of, namespace string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacVersion, Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: clusterName(of)},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterName(of)},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: of, Namespace: namespace}},
	}
}

func role(namespace string, rules []rbacv1.PolicyRule) rbacv1.Role {
	return rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacVersion, Kind: "Role"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Rules:      rules,
	}
}

func (o *Options) binding(r rbacv1.Role) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacVersion, Kind: "RoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: r.Name, Namespace: r.Namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: r.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: name, Namespace: o.Namespace}},
	}
}
