package deploy

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"
)

// testRights asks the API server for all that each account may do, so that a
// right too many fails as a right too few does.
func (c *cluster) testRights(t *testing.T) {
	everyone := c.rights(t, "nobody", "default")
	for _, account := range []struct {
		name, namespace string
		want            []string
	}{
		{"herald-controller", "default", []string{
			"create events.events.k8s.io",
			"get services",
			"list nodes",
			"list services",
			"patch events.events.k8s.io",
			"patch services/status",
			"watch nodes",
			"watch services",
		}},
		{"herald-controller", "herald-system", []string{
			"create events",
			"create leases.coordination.k8s.io",
			"get leases.coordination.k8s.io herald-controller",
			"list configmaps herald",
			"patch events",
			"update leases.coordination.k8s.io herald-controller",
			"watch configmaps herald",
		}},
		{"herald-agent", "default", []string{
			"create events.events.k8s.io",
			"create subjectaccessreviews.authorization.k8s.io",
			"create tokenreviews.authentication.k8s.io",
			"get namespaces kube-system",
			"list endpointslices.discovery.k8s.io",
			"list nodes",
			"list services",
			"patch events.events.k8s.io",
			"patch services/status",
			"watch endpointslices.discovery.k8s.io",
			"watch nodes",
			"watch services",
		}},
		{"herald-agent", "herald-system", []string{
			"list configmaps herald",
			"list secrets herald-bgp",
			"watch configmaps herald",
			"watch secrets herald-bgp",
		}},
		{"herald-status", "default", []string{"get /bgp", "get /membership", "get /metrics"}},
		{"herald-controller", "kube-system", nil},
		{"herald-agent", "kube-system", nil},
	} {
		t.Run(account.name+" in "+account.namespace, func(t *testing.T) {
			got := c.rights(t, account.name, account.namespace)
			maps.DeleteFunc(got, func(right string, _ bool) bool { return everyone[right] })
			if account.namespace != "default" {
				clusterWide := c.rights(t, account.name, "default")
				maps.DeleteFunc(got, func(right string, _ bool) bool { return clusterWide[right] })
			}
			if diff := cmp.Diff(account.want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("rights (-want +got):\n%s", diff)
			}
		})
	}
}

// rights returns all that an account may do in a namespace and cluster-wide,
// each as "VERB RESOURCE[.GROUP] [NAME]" or "VERB URL".
func (c *cluster) rights(t *testing.T, account, namespace string) map[string]bool {
	t.Helper()
	return c.rightsOf(t, "herald-system", account, namespace)
}

// rightsOf are those of an account of another namespace.
func (c *cluster) rightsOf(t *testing.T, home, account, namespace string) map[string]bool {
	t.Helper()
	review := &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
	}
	if err := c.asOf(t, home, account, rest.NoWarnings{}).Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	if review.Status.Incomplete {
		t.Fatalf("rules of %s are incomplete: %s", account, review.Status.EvaluationError)
	}
	rights := make(map[string]bool)
	for _, rule := range review.Status.ResourceRules {
		for _, right := range expand(rule) {
			rights[right] = true
		}
	}
	for _, rule := range review.Status.NonResourceRules {
		for _, verb := range rule.Verbs {
			for _, url := range rule.NonResourceURLs {
				rights[verb+" "+url] = true
			}
		}
	}
	return rights
}

func expand(rule authorizationv1.ResourceRule) []string {
	names := []string{""}
	if len(rule.ResourceNames) > 0 {
		names = rule.ResourceNames
	}
	var rights []string
	for _, verb := range rule.Verbs {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, name := range names {
					rights = append(rights, right(verb, group, resource, name))
				}
			}
		}
	}
	return rights
}

func right(verb, group, resource, name string) string {
	text := verb + " " + resource
	if group != "" {
		text += "." + group
	}
	if name != "" {
		text += " " + name
	}
	return text
}
