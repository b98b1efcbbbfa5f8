package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/heraldlb/herald/controllers/service"
)

// controllerLease is the Lease that the replicas of the controller compete for.
const controllerLease = "herald-controller"

// gracefulShutdown bounds the wait for writes under way. It leaves time to give
// the Lease back within a Pod's grace period of 10 seconds.
const gracefulShutdown = 5 * time.Second

type controllerFlags struct {
	clusterFlags
	leaderElect bool
	namespace   string
}

func newControllerCommand() *cobra.Command {
	flags := &controllerFlags{
		clusterFlags: newClusterFlags(":8080", ":8081"),
		leaderElect:  true,
		namespace:    os.Getenv("POD_NAMESPACE"),
	}
	cmd := &cobra.Command{
		Use:   "controller",
		Short: "Allocate addresses from the pools and write them into the Services' status",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	flags.register(cmd.Flags())
	cmd.Flags().BoolVar(&flags.leaderElect, "leader-elect", flags.leaderElect, "let one replica at a time allocate, by the Lease "+controllerLease)
	cmd.Flags().StringVar(&flags.namespace, "namespace", flags.namespace, "namespace of the Lease (default: $POD_NAMESPACE, else that of --config-map)")
	return cmd
}

func (f *controllerFlags) run(ctx context.Context, logs io.Writer) error {
	log, err := f.logger(logs)
	if err != nil {
		return err
	}
	restConfig, err := f.restConfig()
	if err != nil {
		return err
	}
	if f.namespace == "" {
		f.namespace = f.configMap.Namespace
	}
	pools := types.NamespacedName(f.configMap)
	mgr, err := ctrl.NewManager(restConfig, ctrl.Options{
		Logger:                        log,
		Cache:                         service.CacheOptions(pools),
		Metrics:                       metricsserver.Options{BindAddress: f.metricsAddress},
		HealthProbeBindAddress:        f.healthAddress,
		LeaderElection:                f.leaderElect,
		LeaderElectionID:              controllerLease,
		LeaderElectionNamespace:       f.namespace,
		LeaderElectionReleaseOnCancel: true, // nothing is done after the manager has stopped
		GracefulShutdownTimeout:       new(gracefulShutdown),
	})
	if err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	ready, err := service.SetUp(ctx, mgr, service.Options{
		Class:   f.class(),
		Pools:   pools,
		Metrics: ctrlmetrics.Registry,
	})
	if err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("ready", ready); err != nil {
		return err
	}
	log.Info("Starting", "version", version, "pools", pools, "class", f.class())
	return startAndStop(ctx, mgr.Start, gracefulShutdown)
}
