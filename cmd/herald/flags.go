package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// clusterFlags are the flags of the roles that talk to the API server.
type clusterFlags struct {
	kubeconfig     string
	configMap      namespacedName
	classes        []string
	classOnly      bool
	metricsAddress string
	healthAddress  string
	logLevel       string
}

// newClusterFlags returns the defaults; the two addresses differ by role, since
// the agent shares the host's ports.
func newClusterFlags(metricsAddress, healthAddress string) clusterFlags {
	return clusterFlags{
		configMap:      namespacedName{Namespace: "herald-system", Name: "herald"},
		classes:        []string{loadbalancer.DefaultClass},
		metricsAddress: metricsAddress,
		healthAddress:  healthAddress,
		logLevel:       "info",
	}
}

func (f *clusterFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.kubeconfig, "kubeconfig", f.kubeconfig, "kubeconfig file (default: $KUBECONFIG, the Pod's ServiceAccount, ~/.kube/config)")
	flags.Var(&f.configMap, "config-map", "ConfigMap of the address pools, NAMESPACE/NAME")
	flags.StringSliceVar(&f.classes, "class", f.classes, "spec.loadBalancerClass to serve; repeatable")
	flags.BoolVar(&f.classOnly, "class-only", f.classOnly, "leave Services without a class to others")
	flags.StringVar(&f.metricsAddress, "metrics-address", f.metricsAddress, `where /metrics is served; "0" turns it off`)
	flags.StringVar(&f.healthAddress, "health-address", f.healthAddress, `where /healthz and /readyz are served; "0" turns them off`)
	flags.StringVar(&f.logLevel, "log-level", f.logLevel, "debug, info, warn or error")
}

func (f *clusterFlags) class() loadbalancer.Class {
	return loadbalancer.Class{Names: f.classes, Default: !f.classOnly}
}

// restConfig returns a client configuration without a client-side rate limit:
// API priority and fairness is the server's own, and better informed.
func (f *clusterFlags) restConfig() (*rest.Config, error) {
	if f.kubeconfig == "" {
		config, err := ctrl.GetConfig()
		if err != nil {
			return nil, fmt.Errorf("no way to the API server: %w", err)
		}
		config.QPS = -1
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig: %w", err)
	}
	config.QPS = -1
	return config, nil
}

// logger returns the logger of the process, and makes it that of
// controller-runtime and client-go too.
func (f *clusterFlags) logger(out io.Writer) (logr.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return logr.Logger{}, fmt.Errorf("--log-level %q: debug, info, warn or error", f.logLevel)
	}
	log := logr.FromSlogHandler(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	return log, nil
}

// namespacedName is a NAMESPACE/NAME flag.
type namespacedName types.NamespacedName

var _ pflag.Value = (*namespacedName)(nil)

func (n *namespacedName) String() string {
	if n.Name == "" {
		return "" // not "/", which help would show as the default
	}
	return types.NamespacedName(*n).String()
}

func (n *namespacedName) Type() string { return "namespace/name" }

func (n *namespacedName) Set(text string) error {
	namespace, name, found := strings.Cut(text, "/")
	if !found || namespace == "" || name == "" || strings.Contains(name, "/") {
		return fmt.Errorf("%q is not NAMESPACE/NAME", text)
	}
	*n = namespacedName{Namespace: namespace, Name: name}
	return nil
}
