package scene

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/heraldlb/herald/e2e/suite/promtool"
)

// Observability is deploy/components/observability, from where the suite runs.
const Observability = "../../deploy/components/observability/"

// Monitoring reads metrics as the ServiceMonitors of deploy/ say.
type Monitoring struct {
	stage    *Stage
	monitors []monitor
	// token is shown in place of that of the Secret; "": it is not.
	token string
}

// monitor is what is read of a ServiceMonitor.
type monitor struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []endpoint           `json:"endpoints"`
	} `json:"spec"`
}

type endpoint struct {
	Port      string `json:"port"`
	Scheme    string `json:"scheme"`
	TLSConfig struct {
		InsecureSkipVerify bool `json:"insecureSkipVerify"`
	} `json:"tlsConfig"`
	Authorization *struct {
		Type        string                   `json:"type"`
		Credentials corev1.SecretKeySelector `json:"credentials"`
	} `json:"authorization"`
	Relabelings []struct {
		SourceLabels []string `json:"sourceLabels"`
		TargetLabel  string   `json:"targetLabel"`
	} `json:"relabelings"`
}

// target is what one finds.
type target struct {
	endpoint
	host, address string
	labels        map[string]string
}

// Monitor makes what the ServiceMonitors refer to, until the case ends.
func (st *Stage) Monitor(ctx context.Context) *Monitoring {
	GinkgoHelper()
	m := &Monitoring{stage: st}
	for _, text := range documents("servicemonitors.yaml") {
		var found monitor
		Expect(yaml.Unmarshal(text, &found)).To(Succeed())
		m.monitors = append(m.monitors, found)
	}
	for _, file := range []string{"scrape-rbac.yaml", "services.yaml"} {
		for _, text := range documents(file) {
			st.make(ctx, text)
		}
	}
	Eventually(func(g Gomega) {
		targets, err := m.targets(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		byService := map[string]int{}
		for _, t := range targets {
			byService[t.labels["service"]]++
		}
		g.Expect(byService).To(HaveKeyWithValue("herald-agent", len(st.Nodes)))
		g.Expect(byService).To(HaveKeyWithValue("herald-controller", BeNumerically(">=", 2)))
		scrape, err := m.Scrape(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(scrape).To(HaveKey(HavePrefix("herald_announcer_connected{")))
	}).WithContext(ctx).WithTimeout(30 * time.Second).Should(Succeed())
	return m
}

func documents(file string) [][]byte {
	GinkgoHelper()
	text, err := os.ReadFile(Observability + file)
	Expect(err).NotTo(HaveOccurred())
	return bytes.Split(text, []byte("\n---\n"))
}

// make makes an object until the case ends.
func (st *Stage) make(ctx context.Context, text []byte) {
	GinkgoHelper()
	decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(text, nil, nil)
	Expect(err).NotTo(HaveOccurred())
	options := metav1.CreateOptions{}
	switch object := decoded.(type) {
	case *corev1.ServiceAccount:
		_, err = st.API.CoreV1().ServiceAccounts(System).Create(ctx, object, options)
		DeferCleanup(st.API.CoreV1().ServiceAccounts(System).Delete, object.Name, metav1.DeleteOptions{})
	case *corev1.Secret:
		_, err = st.API.CoreV1().Secrets(System).Create(ctx, object, options)
		DeferCleanup(st.API.CoreV1().Secrets(System).Delete, object.Name, metav1.DeleteOptions{})
	case *corev1.Service:
		_, err = st.API.CoreV1().Services(System).Create(ctx, object, options)
		DeferCleanup(st.API.CoreV1().Services(System).Delete, object.Name, metav1.DeleteOptions{})
	case *rbacv1.ClusterRole:
		_, err = st.API.RbacV1().ClusterRoles().Create(ctx, object, options)
		DeferCleanup(st.API.RbacV1().ClusterRoles().Delete, object.Name, metav1.DeleteOptions{})
	case *rbacv1.ClusterRoleBinding:
		_, err = st.API.RbacV1().ClusterRoleBindings().Create(ctx, object, options)
		DeferCleanup(st.API.RbacV1().ClusterRoleBindings().Delete, object.Name, metav1.DeleteOptions{})
	default:
		err = fmt.Errorf("cannot make %T", object)
	}
	Expect(err).NotTo(HaveOccurred())
}

// Show has the agents shown the token of another account of Herald's, until what it returns is
// called.
func (m *Monitoring) Show(ctx context.Context, account string) (undo func()) {
	GinkgoHelper()
	answer, err := m.stage.API.CoreV1().ServiceAccounts(System).CreateToken(ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	m.token = answer.Status.Token
	return func() { m.token = "" }
}

// Scrape reads all targets. What does not answer, or refuses, exposes nothing, as it is with
// Prometheus.
func (m *Monitoring) Scrape(ctx context.Context) (promtool.Scrape, error) {
	targets, err := m.targets(ctx)
	if err != nil {
		return nil, err
	}
	scrape := promtool.Scrape{}
	for _, t := range targets {
		options, err := m.options(ctx, t)
		if err != nil {
			return nil, err
		}
		families, err := m.stage.scrape(ctx, t.host, t.Scheme+"://"+t.address, options...)
		if err != nil {
			fmt.Fprintf(GinkgoWriter, "%s is not scraped\n", t.address) // its error has the token
			continue
		}
		scrape.Add(families, t.labels)
	}
	return scrape, nil
}

// options are those of curl.
func (m *Monitoring) options(ctx context.Context, t target) ([]string, error) {
	var options []string
	if t.TLSConfig.InsecureSkipVerify {
		options = append(options, "--insecure")
	}
	if t.Authorization == nil {
		return options, nil
	}
	header := "Authorization: " + t.Authorization.Type + " "
	if m.token != "" {
		return append(options, "--header", header+m.token), nil
	}
	shown := t.Authorization.Credentials
	secret, err := m.stage.API.CoreV1().Secrets(System).Get(ctx, shown.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return append(options, "--header", header+string(secret.Data[shown.Key])), nil
}

// targets are the endpoints of the Services that ServiceMonitors select.
func (m *Monitoring) targets(ctx context.Context) ([]target, error) {
	var all []target
	for _, monitor := range m.monitors {
		selector := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&monitor.Spec.Selector)}
		services, err := m.stage.API.CoreV1().Services(System).List(ctx, selector)
		if err != nil {
			return nil, err
		}
		for _, service := range services.Items {
			slices, err := m.stage.API.DiscoveryV1().EndpointSlices(System).List(ctx, metav1.ListOptions{
				LabelSelector: discoveryv1.LabelServiceName + "=" + service.Name,
			})
			if err != nil {
				return nil, err
			}
			for _, slice := range slices.Items {
				for _, e := range monitor.Spec.Endpoints {
					all = append(all, e.in(service.Name, slice)...)
				}
			}
		}
	}
	return all, nil
}

// in returns the endpoint's targets in a slice.
func (e endpoint) in(service string, slice discoveryv1.EndpointSlice) []target {
	at := slices.IndexFunc(slice.Ports, func(port discoveryv1.EndpointPort) bool { return port.Name != nil && *port.Name == e.Port })
	if at < 0 || e.Scheme == "" && e.Authorization != nil {
		return nil
	}
	if e.Scheme == "" {
		e.Scheme = "http"
	}
	var all []target
	for _, found := range slice.Endpoints {
		t := target{endpoint: e, host: *found.NodeName}
		t.address = net.JoinHostPort(found.Addresses[0], strconv.Itoa(int(*slice.Ports[at].Port)))
		t.labels = map[string]string{
			"namespace": System, "service": service, "job": service, "endpoint": e.Port, "pod": found.TargetRef.Name, "instance": t.address,
		}
		for _, relabeling := range e.Relabelings {
			if slices.Equal(relabeling.SourceLabels, []string{"__meta_kubernetes_pod_node_name"}) {
				t.labels[relabeling.TargetLabel] = t.host
			}
		}
		all = append(all, t)
	}
	return all
}
