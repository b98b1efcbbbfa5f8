package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/heraldlb/herald/controllers/announcement"
	"github.com/heraldlb/herald/controllers/authz"
	"github.com/heraldlb/herald/status"
)

// agentShutdown is short: the announcer carries on, so nothing has to be ended.
const agentShutdown = 2 * time.Second

type agentFlags struct {
	clusterFlags
	node          string
	socket        string
	metricsSecure bool
	serveExcluded bool
}

func newAgentCommand() *cobra.Command {
	flags := &agentFlags{
		clusterFlags: newClusterFlags(":9643", ":9644"),
		node:         os.Getenv("NODE_NAME"),
		socket:       "/run/herald/announcer.sock",

		metricsSecure: true,
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
	return cmd
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
	view := new(announcement.LatestView)
	contact := new(announcement.Contact)
	contact.Watch(restConfig)
	pools := types.NamespacedName(f.configMap)
	mgr, err := ctrl.NewManager(restConfig, ctrl.Options{
		Logger:                  log,
		Cache:                   announcement.CacheOptions(pools),
		MapperProvider:          announcement.Mapper,
		Metrics:                 f.metricsServer(view),
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
	})
	if err != nil {
		return fmt.Errorf("set up the agent: %w", err)
	}
	log.Info("Starting", "version", version, "node", f.node, "pools", pools, "class", f.class())
	return startAndStop(ctx, mgr.Start, agentShutdown)
}

// metricsServer is the agent's port: metrics, and the membership for herald
// status.
func (f *agentFlags) metricsServer(view *announcement.LatestView) metricsserver.Options {
	options := metricsserver.Options{
		BindAddress:   f.metricsAddress,
		ExtraHandlers: map[string]http.Handler{status.Path: status.Handler(view.Get)},
	}
	if f.metricsSecure {
		options.SecureServing, options.FilterProvider = true, authz.Filter
	}
	return options
}
