package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/apiservers"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/entrusted"
	"github.com/heraldlb/herald/controlplane/health"
	"github.com/heraldlb/herald/election/lease"
	"github.com/heraldlb/herald/manifest/settings"
)

type controlPlaneFlags struct {
	elector    string
	source     string
	socket     string
	node       string
	port       uint16
	kubeconfig string
	server     string
	logLevel   string
	health     health.Flags
	lease      lease.Options
	raft       raftFlags
	// set has the flags of BGP.
	set *pflag.FlagSet
	// anycast is the elector by BGP, if that is asked for.
	anycast controlplane.Elector
}

const (
	// none is no elector, and no source of API servers.
	none = "none"
	// electorBGP is for every node whose API server is ready.
	electorBGP = "bgp"
)

func newControlPlaneCommand() *cobra.Command {
	f := &controlPlaneFlags{node: os.Getenv("NODE_NAME")}
	cmd := &cobra.Command{
		Use:   "controlplane",
		Short: "Elect the holder of the control plane's address by raft or a Lease, or tell routers of it by BGP, for this node's announcer",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *controlPlaneFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.elector, "elector", none, "raft, lease or bgp, as the announcer's --elector says; none: tell of API servers only")
	set.StringVar(&f.source, "lb-source", none, "where the API servers are that the VIP leads to: nodes (those with the label "+apiservers.ControlPlaneLabel+"), endpoints (the Service kubernetes), or none")
	set.StringVar(&f.socket, "socket", "/run/herald/controlplane.sock", "Unix socket that the announcer listens on")
	set.StringVar(&f.node, "node-name", f.node, "name of this node (default: $NODE_NAME)")
	set.Uint16Var(&f.port, "port", 6443, "port of the API servers")
	set.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig file, for its credentials (default: "+adminKubeconfig+", or the Pod's ServiceAccount)")
	set.StringVar(&f.server, "kubeconfig-server", "", "API server to talk to, whatever the kubeconfig says (default: the one of this host, https://127.0.0.1:PORT)")
	set.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	f.health.Register(set)
	set.StringVar(&f.lease.Name, "lease-name", lease.DefaultName, "name of the Lease")
	set.StringVar(&f.lease.Namespace, "lease-namespace", lease.DefaultNamespace, "its namespace")
	set.DurationVar(&f.lease.Duration, "lease-duration", lease.DefaultDuration, "for how long nobody else takes a Lease that is not renewed, in whole seconds")
	set.DurationVar(&f.lease.RenewDeadline, "renew-deadline", lease.DefaultRenewDeadline, "after how long without success the holder gives up")
	set.DurationVar(&f.lease.RetryPeriod, "retry-period", lease.DefaultRetryPeriod, "time between two tries")
	f.raft.register(set)
	settings.RegisterBGP(set)
	f.set = set
}

// run elects, and tells of API servers, until ctx ends.
func (f *controlPlaneFlags) run(ctx context.Context, logs io.Writer) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return fmt.Errorf("--log-level %q: debug, info, warn or error", f.logLevel)
	}
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: level}))
	klog.SetLogger(logr.FromSlogHandler(log.Handler()))
	if err := f.check(); err != nil {
		return err
	}
	prober, err := health.New(f.health.Of(f.port), log)
	if err != nil {
		return err
	}
	seat := entrusted.NewSeat(f.socket, log)
	if f.elector == electorBGP {
		if f.anycast, err = newAnycast(f.node, f.set, seat, log); err != nil {
			return err
		}
	}
	log.Info("starting", "version", version, "node", f.node, "elector", f.elector, "lb-source", f.source)

	return fill(ctx, seat, prober, func(ctx context.Context, ready <-chan bool) error { return f.serve(ctx, ready, seat, log) })
}

func (f *controlPlaneFlags) check() error {
	switch {
	case f.elector != "raft" && f.elector != "lease" && f.elector != electorBGP && f.elector != none:
		return fmt.Errorf("--elector %q: raft, lease, bgp or none", f.elector)
	case f.elector == electorBGP && f.source != none:
		return fmt.Errorf("--lb-source %s: with --elector bgp routers share the connections out", f.source)
	case f.source != none && f.source != string(apiservers.Nodes) && f.source != string(apiservers.Endpoints):
		return fmt.Errorf("--lb-source %q: nodes, endpoints or none", f.source)
	case f.elector == none && f.source == none:
		return errors.New("nothing to do: --elector raft, lease or bgp, or --lb-source nodes or endpoints")
	case f.node == "" && f.elector != none:
		return errors.New("--node-name or $NODE_NAME: the name of this node is needed")
	case f.port == 0:
		return errors.New("--port 0: no port")
	}
	return f.health.Check()
}

// serve elects, and tells of API servers, until ctx ends and the VIP is off.
func (f *controlPlaneFlags) serve(ctx context.Context, ready <-chan bool, seat *entrusted.Seat, log *slog.Logger) error {
	var client kubernetes.Interface
	if f.elector == "lease" || f.source != none {
		config, err := f.restConfig()
		if err != nil {
			return err
		}
		if client, err = kubernetes.NewForConfig(config); err != nil {
			return fmt.Errorf("client of the API server: %w", err)
		}
	}
	elector, err := f.newElector(client, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if elector != nil {
		group.Go(func() error { return elector.Run(ctx, ready, seat) })
	}
	if f.source != none {
		group.Go(func() error {
			return apiservers.Follow(ctx, client, apiservers.Source(f.source), f.port, func(all []netip.AddrPort) {
				log.Info("API servers", "all", all)
				if err := seat.SetFacts(announcer.Facts{Backends: all}); err != nil {
					log.Error("the announcer cannot be told of the API servers", "error", err)
				}
			})
		})
	}
	return group.Wait()
}

// newElector returns the elector that --elector names, nil if none.
func (f *controlPlaneFlags) newElector(client kubernetes.Interface, log *slog.Logger) (controlplane.Elector, error) {
	switch f.elector {
	case "lease":
		f.lease.Identity = f.node
		elector, err := lease.New(f.lease, client.CoordinationV1(), log)
		if err != nil {
			return nil, fmt.Errorf("--lease-name, --lease-namespace, --lease-duration, --renew-deadline, --retry-period: %w", err)
		}
		return elector, nil
	case electorBGP:
		return f.anycast, nil
	case "raft":
		return f.raft.newElector(f.node, log)
	default:
		return nil, nil
	}
}

// adminKubeconfig is where kubeadm puts an administrator's.
const adminKubeconfig = "/etc/kubernetes/admin.conf"

// restConfig returns how to talk to the API server of this host: the VIP, which the
// kubeconfig may name, is what this is about.
func (f *controlPlaneFlags) restConfig() (*rest.Config, error) {
	path := f.kubeconfig
	if _, err := os.Stat(adminKubeconfig); path == "" && err == nil {
		path = adminKubeconfig
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %q: %w", path, err)
	}
	config.QPS = -1
	config.Host = f.server
	if f.server == "" {
		config.Host = "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(int(f.port)))
		config.ServerName = f.health.ServerName
	}
	return config, nil
}
