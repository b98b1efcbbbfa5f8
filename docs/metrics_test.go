package docs

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/announcement"
	"github.com/heraldlb/herald/controllers/portmapping"
	"github.com/heraldlb/herald/controllers/service"
	"github.com/heraldlb/herald/internal/apiserver"
)

// descriptions are those of all metrics that are registered.
type descriptions struct {
	*prometheus.Registry
	of  string
	all map[string]description
}

type description struct {
	of, help string
	labels   []string
}

// Register implements prometheus.Registerer.
func (d *descriptions) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	form := regexp.MustCompile(`fqName: "(\w+)", help: "(.*?)".* variableLabels: {([^}]*)}`)
	for desc := range descs {
		found := form.FindStringSubmatch(desc.String())
		if found == nil {
			return fmt.Errorf("what is %s?", desc)
		}
		d.all[found[1]] = description{of: d.of, help: found[2], labels: strings.FieldsFunc(found[3], func(r rune) bool { return r == ',' })}
	}
	return d.Registry.Register(c)
}

// TestMetricsAreDocumented compares the table of docs/observability.md with what the roles
// register. No label has as many values as there are Services.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("observability.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `herald_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	bounded := []string{"family", "interface", "peer", "pool", "reason", "state"}
	for name, d := range registered(t) {
		var labels []string
		for _, label := range d.labels {
			labels = append(labels, "`"+label+"`")
			if !slices.Contains(bounded, label) {
				t.Errorf("%s has a label %s: how many values may that have?", name, label)
			}
		}
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", name, d.of, strings.Join(labels, ", "), d.help))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-registered +documented):\n%s\nThe table:\n%s", diff, strings.Join(want, "\n"))
	}
}

// registered returns the metrics of the controller and the agent, as herald sets them up.
func registered(t *testing.T) map[string]description {
	t.Helper()
	d := &descriptions{all: make(map[string]description)}
	config := apiserver.Start(t)
	pools := types.NamespacedName{Namespace: "herald-system", Name: "herald"}

	d.Registry, d.of = prometheus.NewRegistry(), "controller"
	mgr := newManager(t, config, ctrl.Options{Cache: service.CacheOptions(pools)})
	if _, err := service.SetUp(t.Context(), mgr, service.Options{Pools: pools, Metrics: d}); err != nil {
		t.Fatal(err)
	}

	d.Registry, d.of = prometheus.NewRegistry(), "agent"
	routers := advertisement.New(advertisement.Options{Node: "node1", Metrics: d, Log: slog.New(slog.DiscardHandler)})
	mgr = newManager(t, config, ctrl.Options{
		Cache: announcement.CacheOptions(pools, types.NamespacedName{}), MapperProvider: announcement.Mapper,
	})
	owned := new(announcement.Owned)
	err := announcement.SetUp(t.Context(), mgr, announcement.Options{
		Node: "node1", Pools: pools, Metrics: d, Routers: routers, Owned: owned, Socket: filepath.Join(t.TempDir(), "socket"),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.of = "agent, `--upnp`"
	err = portmapping.SetUp(t.Context(), mgr, portmapping.Options{Node: "node1", Owners: owned, Metrics: d, Ended: make(chan struct{})})
	if err != nil {
		t.Fatal(err)
	}
	return d.all
}

func newManager(t *testing.T, config *rest.Config, options ctrl.Options) ctrl.Manager {
	t.Helper()
	options.Metrics, options.HealthProbeBindAddress = metricsserver.Options{BindAddress: "0"}, "0"
	mgr, err := ctrl.NewManager(config, options)
	if err != nil {
		t.Fatal(err)
	}
	return mgr
}
