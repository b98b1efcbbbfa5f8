package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/announcement"
	"github.com/heraldlb/herald/controllers/authz"
	"github.com/heraldlb/herald/controllers/portmapping"
	"github.com/heraldlb/herald/status"
)

// agentShutdown is for the withdrawal of what routers were told, and for these to take
// note of it; and for the removal of what the home gateway forwards, if nobody follows.
// All else may end at once: the announcer carries on.
const agentShutdown = 6 * time.Second

type agentFlags struct {
	clusterFlags
	node          string
	socket        string
	metricsSecure bool
	serveExcluded bool
	bgpSecret     namespacedName
	upnp          bool
	upnpGateway   string
	vip           vipFlags
}

func newAgentCommand() *cobra.Command {
	flags := &agentFlags{
		clusterFlags: newClusterFlags(":9643", ":9644"),
		node:         os.Getenv("NODE_NAME"),
		socket:       "/run/herald/announcer.sock",

		metricsSecure: true,
		upnp:          true,
	}
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Tell this node's announcer which addresses there are, and which it may answer for",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	flags.register(cmd.Flags())
	cmd.Flags().StringVar(&flags.node, "node-name", flags.node, "name of the Node that the agent runs on (default: $NODE_NAME)")
	cmd.Flags().StringVar(&flags.socket, "socket", flags.socket, "Unix socket that the announcer listens on")
	cmd.Flags().BoolVar(&flags.metricsSecure, "metrics-secure", flags.metricsSecure, "serve --metrics-address over TLS, to those whom the API server lets read it; false: to everybody, in plain text")
	cmd.Flags().BoolVar(&flags.serveExcluded, "serve-excluded", false, "have nodes answer that are excluded from external load balancers, as kubeadm excludes the control plane's; the same on all nodes")
	cmd.Flags().Var(&flags.bgpSecret, "bgp-secret", "Secret with the passwords of BGP sessions, NAMESPACE/NAME (default: herald-bgp in the namespace of --config-map)")
	cmd.Flags().BoolVar(&flags.upnp, "upnp", flags.upnp, "have the home gateway forward the ports of Services with the annotation heraldlb.io/upnp; false: of none")
	cmd.Flags().StringVar(&flags.upnpGateway, "upnp-gateway", "", "IPv4 address of that gateway (default: the one that this node routes by)")
	flags.vip.register(cmd.Flags())
	return cmd
}

// defaultBGPSecret is in the namespace of the ConfigMap.
const defaultBGPSecret = "herald-bgp"

func (f *agentFlags) secret() types.NamespacedName {
	if f.bgpSecret.Name == "" {
		return types.NamespacedName{Namespace: f.configMap.Namespace, Name: defaultBGPSecret}
	}
	return types.NamespacedName(f.bgpSecret)
}

func (f *agentFlags) run(ctx context.Context, logs io.Writer) error {
	if f.node == "" {
		return errors.New("--node-name or $NODE_NAME: the name of this node is needed")
	}
	log, err := f.logger(logs)
	if err != nil {
		return err
	}
	restConfig, err := f.restConfig()
	if err != nil {
		return err
	}
	kubeVIPs, err := bgp.FromKubeVIP(os.LookupEnv)
	if err != nil {
		return err
	}
	routers := advertisement.New(advertisement.Options{
		Node: f.node, Secret: f.secret(), Fallback: kubeVIPs, Metrics: ctrlmetrics.Registry,
		Log: slog.New(logr.ToSlogHandler(log.WithName("bgp"))),
	})
	gateway, err := f.gateway()
	if err != nil {
		return err
	}
	view := new(announcement.LatestView)
	owned := new(announcement.Owned)
	mapped := make(chan struct{})
	contact := new(announcement.Contact)
	contact.Watch(restConfig)
	pools := types.NamespacedName(f.configMap)
	mgr, err := ctrl.NewManager(restConfig, ctrl.Options{
		Logger:                  log,
		Cache:                   announcement.CacheOptions(pools, f.secret()),
		MapperProvider:          announcement.Mapper,
		Metrics:                 f.metricsServer(view, routers),
		HealthProbeBindAddress:  f.healthAddress,
		GracefulShutdownTimeout: new(agentShutdown),
	})
	if err != nil {
		return fmt.Errorf("set up the agent: %w", err)
	}
	err = announcement.SetUp(ctx, mgr, announcement.Options{
		Node:   f.node,
		Pools:  pools,
		Class:  f.class(),
		Socket: f.socket,

		ServeExcluded: f.serveExcluded,
		Metrics:       ctrlmetrics.Registry,
		Contact:       contact,
		View:          view,
		Routers:       routers,
		Owned:         owned,
		Until:         mapped,
	})
	if err != nil {
		return fmt.Errorf("set up the agent: %w", err)
	}
	if err := f.mapPorts(ctx, mgr, portmapping.Options{Gateway: gateway, Owners: owned, View: view.Get, Ended: mapped}); err != nil {
		return fmt.Errorf("set up the agent: %w", err)
	}
	log.Info("Starting", "version", version, "node", f.node, "pools", pools, "class", f.class())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return startAndStop(ctx, mgr.Start, agentShutdown) })
	group.Go(func() error {
		return f.vip.run(ctx, routers, slog.New(logr.ToSlogHandler(log.WithName("controlplane"))))
	})
	return group.Wait()
}

// mapPorts sets up the port mapping, if it is asked for.
func (f *agentFlags) mapPorts(ctx context.Context, mgr ctrl.Manager, o portmapping.Options) error {
	if !f.upnp {
		close(o.Ended)
		return nil
	}
	o.Node, o.Class, o.Metrics = f.node, f.class(), ctrlmetrics.Registry
	return portmapping.SetUp(ctx, mgr, o)
}

// gateway returns the address of the gateway that is named, not valid if none is.
func (f *agentFlags) gateway() (netip.Addr, error) {
	if f.upnpGateway == "" {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(f.upnpGateway)
	if err != nil || !addr.Is4() {
		return netip.Addr{}, fmt.Errorf("--upnp-gateway: %q is not an IPv4 address", f.upnpGateway)
	}
	return addr, nil
}

// metricsServer is the agent's port: metrics, and the membership and the sessions with
// routers for herald status.
func (f *agentFlags) metricsServer(view *announcement.LatestView, routers *advertisement.Advertiser) metricsserver.Options {
	options := metricsserver.Options{
		BindAddress: f.metricsAddress,
		ExtraHandlers: map[string]http.Handler{
			status.Path:    status.Handler(view.Get),
			status.PathBGP: status.HandlerBGP(routers.Report),
		},
	}
	if f.metricsSecure {
		options.SecureServing, options.FilterProvider = true, authz.Filter
	}
	return options
}
