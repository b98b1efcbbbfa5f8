// Package steady measures what an implementation costs while nothing happens:
// requests to the API server, processor and memory.
package steady

import (
	"context"
	"fmt"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/heraldlb/herald/e2e/bench/site"
)

// kind of requests. The API server counts requests by FlowSchema; so each
// implementation has one of its own for each kind.
type kind string

const (
	reads  kind = "reads"
	writes kind = "writes"
	leases kind = "leases"
)

func kinds() []kind { return []kind{reads, writes, leases} }

// Requests is how many requests an implementation has made, by kind.
type Requests map[kind]float64

// Meter counts the requests of the service accounts of a namespace.
type Meter struct {
	site      *site.Site
	namespace string
}

// NewMeter makes the API server count from now on.
func NewMeter(ctx context.Context, s *site.Site, namespace string) (*Meter, error) {
	m := &Meter{site: s, namespace: namespace}
	for i, k := range kinds() {
		schema := m.schema(k, int32(9+len(kinds())-i))
		_, err := s.API.FlowcontrolV1().FlowSchemas().Create(ctx, schema, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return nil, fmt.Errorf("FlowSchema %s: %w", schema.Name, err)
		}
	}
	return m, nil
}

func (m *Meter) name(k kind) string { return fmt.Sprintf("bench-%s-%s", m.namespace, k) }

// schema: of those that match, the one with the lowest precedence counts, so
// requests for Leases come before the rest.
func (m *Meter) schema(k kind, precedence int32) *flowcontrolv1.FlowSchema {
	var verbs []string
	groups, resources := []string{"*"}, []string{"*"}
	switch k {
	case reads:
		verbs = []string{"get", "list", "watch"}
	case writes:
		verbs = []string{"create", "update", "patch", "delete", "deletecollection"}
	case leases:
		verbs, groups, resources = []string{"*"}, []string{"coordination.k8s.io"}, []string{"leases"}
	}
	return &flowcontrolv1.FlowSchema{
		ObjectMeta: metav1.ObjectMeta{Name: m.name(k)},
		Spec: flowcontrolv1.FlowSchemaSpec{
			PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: "workload-high"},
			MatchingPrecedence:         precedence,
			Rules: []flowcontrolv1.PolicyRulesWithSubjects{{
				Subjects: []flowcontrolv1.Subject{{
					Kind:  flowcontrolv1.SubjectKindGroup,
					Group: &flowcontrolv1.GroupSubject{Name: "system:serviceaccounts:" + m.namespace},
				}},
				ResourceRules: []flowcontrolv1.ResourcePolicyRule{{
					Verbs: verbs, APIGroups: groups, Resources: resources,
					Namespaces: []string{flowcontrolv1.NamespaceEvery}, ClusterScope: true,
				}},
			}},
		},
	}
}

// Requests reads the API server's metrics.
func (m *Meter) Requests(ctx context.Context) (Requests, error) {
	text, err := m.site.API.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		return nil, fmt.Errorf("the API server's metrics: %w", err)
	}
	counted := Requests{}
	for _, metric := range families["apiserver_flowcontrol_dispatched_requests_total"].GetMetric() {
		for _, label := range metric.GetLabel() {
			for _, k := range kinds() {
				if label.GetName() == "flow_schema" && label.GetValue() == m.name(k) {
					counted[k] += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return counted, nil
}
