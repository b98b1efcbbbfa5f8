package scene

import (
	"bytes"
	"context"
	"net"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// The metrics ports of the roles, from Herald's manifests.
const (
	controllerMetrics = "8080"
	agentMetrics      = "9643"
)

// AgentMetric returns the sum of a metric's samples on a node whose labels
// include those given.
func (st *Stage) AgentMetric(ctx context.Context, node, metric string, labels map[string]string) (float64, error) {
	families, err := st.scrapeAgent(ctx, node)
	if err != nil {
		return 0, err
	}
	sum, _ := total(families[metric], labels)
	return sum, nil
}

// AgentsMetric returns the sums of a metric's samples on all nodes by the value of
// one label.
func (st *Stage) AgentsMetric(ctx context.Context, metric, label string) (map[string]float64, error) {
	sums := map[string]float64{}
	for _, node := range st.Nodes {
		families, err := st.scrapeAgent(ctx, node)
		if err != nil {
			return nil, err
		}
		for _, sample := range families[metric].GetMetric() {
			for _, pair := range sample.GetLabel() {
				if pair.GetName() == label {
					sums[pair.GetValue()] += value(sample)
				}
			}
		}
	}
	return sums, nil
}

func (st *Stage) scrapeAgent(ctx context.Context, node string) (map[string]*dto.MetricFamily, error) {
	token, err := st.token(ctx)
	if err != nil {
		return nil, err
	}
	return st.scrape(ctx, node, "https://"+net.JoinHostPort("localhost", agentMetrics),
		"--insecure", "--header", "Authorization: Bearer "+token)
}

// token returns one of the account that may read the agents' port. It holds for
// longer than a suite runs.
func (st *Stage) token(ctx context.Context) (string, error) {
	st.granting.Lock()
	defer st.granting.Unlock()
	if st.granted != "" {
		return st.granted, nil
	}
	answer, err := st.API.CoreV1().ServiceAccounts(System).CreateToken(ctx, "herald-status", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	st.granted = answer.Status.Token
	return st.granted, nil
}

// DropToken forgets that token: its account goes with Herald.
func (st *Stage) DropToken() {
	st.granting.Lock()
	defer st.granting.Unlock()
	st.granted = ""
}

// ControllerMetric returns the same of all replicas of the controller together.
func (st *Stage) ControllerMetric(ctx context.Context, metric string, labels map[string]string) (float64, error) {
	replicas, err := st.scrapeControllers(ctx)
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, families := range replicas {
		part, _ := total(families[metric], labels)
		sum += part
	}
	return sum, nil
}

// HasPool says whether the controller uses a pool of that name: the replica
// that leads, for the others tell of none.
func (st *Stage) HasPool(ctx context.Context, name string) (bool, error) {
	replicas, err := st.scrapeControllers(ctx)
	if err != nil {
		return false, err
	}
	for _, families := range replicas {
		if _, found := total(families["herald_pool_addresses"], map[string]string{"pool": name}); found {
			return true, nil
		}
	}
	return false, nil
}

func (st *Stage) scrapeControllers(ctx context.Context) ([]map[string]*dto.MetricFamily, error) {
	pods, err := st.API.CoreV1().Pods(System).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=controller"})
	if err != nil {
		return nil, err
	}
	var replicas []map[string]*dto.MetricFamily
	for _, pod := range pods.Items {
		families, err := st.scrape(ctx, pod.Spec.NodeName, "http://"+net.JoinHostPort(pod.Status.PodIP, controllerMetrics))
		if err != nil {
			return nil, err
		}
		replicas = append(replicas, families)
	}
	return replicas, nil
}

// scrape reads a metrics endpoint from a host, with more options of curl.
func (st *Stage) scrape(ctx context.Context, host, endpoint string, options ...string) (map[string]*dto.MetricFamily, error) {
	curl := append([]string{"curl", "--silent", "--show-error", "--fail", "--max-time", "2"}, options...)
	text, err := st.run(ctx, host, append(curl, endpoint+"/metrics")...)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(text))
}

// total sums the samples whose labels include those given.
func total(family *dto.MetricFamily, labels map[string]string) (sum float64, found bool) {
	for _, sample := range family.GetMetric() {
		if !includes(sample.GetLabel(), labels) {
			continue
		}
		found = true
		sum += value(sample)
	}
	return sum, found
}

func value(sample *dto.Metric) float64 {
	return sample.GetCounter().GetValue() + sample.GetGauge().GetValue() + sample.GetUntyped().GetValue()
}

func includes(pairs []*dto.LabelPair, labels map[string]string) bool {
	matched := 0
	for _, pair := range pairs {
		if value, ok := labels[pair.GetName()]; ok && strings.EqualFold(value, pair.GetValue()) {
			matched++
		}
	}
	return matched == len(labels)
}
