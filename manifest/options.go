// Package manifest makes the Kubernetes objects that run Herald where there is no
// deploy/: a static Pod for kubeadm, a DaemonSet for K3s, RKE2 and others, and the
// rights that they need. It is pure: options in, objects or YAML out.
package manifest

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Electors choose the holder of the VIP.
const (
	ElectorHeartbeat = "heartbeat"
	ElectorRaft      = "raft"
	ElectorLease     = "lease"
	// ElectorBGP is for none: every node has it whose API server is ready.
	ElectorBGP = "bgp"
)

// Options are what a manifest is made of. What is empty is left to the default of the
// program that it concerns.
type Options struct {
	Image     string
	Namespace string // of the Pods, and of the Lease
	LogLevel  string
	// Distribution is kubeadm, k3s or rke2: where the host has its files.
	Distribution string

	// ControlPlane asks for the control plane's VIP, Services for the addresses of
	// Services; at least one is needed.
	ControlPlane bool
	Services     bool

	NodeName string // "": the Node that the Pod is on
	// Kubeconfig is a file of the host for what talks to the API; "": a DaemonSet uses
	// its ServiceAccount.
	Kubeconfig string
	// Taint keeps a DaemonSet to control-plane nodes, whatever their taints.
	Taint bool
	// KeyDirectory is a directory of the host with the keys of heartbeats; "": a
	// DaemonSet uses the Secret herald-heartbeat if there is one.
	KeyDirectory string

	VIP     VIP
	Lease   Lease
	Raft    Raft
	Service Service
	// BGP is the environment of what speaks it, by kube-vip's names; none: nothing does.
	BGP []Variable

	// controlPlaneNodes: it runs on nodes of the control plane alone.
	controlPlaneNodes bool
	// clusterCA and secretKeys: the cluster has the API servers' certificate authority,
	// and the keys of heartbeats.
	clusterCA, secretKeys bool
}

// Variable is one of an environment.
type Variable struct{ Name, Value string }

// VIP is the control plane's address.
type VIP struct {
	Addresses []string // or one DNS name
	Interface string
	Port      uint16 // of the API servers
	Elector   string
	Health    Health

	Balance       bool
	BalancePort   uint16   // at the VIP
	Backends      []string // static ones
	BackendSource string   // or where the API says they are: nodes or endpoints
}

// Health says how to look at the API server of a host. Files are the host's.
type Health struct {
	URL              string
	CA               string
	Certificate, Key string // for an API server that answers no stranger
	Token            string // for the same, where a container has it in any case
	Period, Timeout  time.Duration
	Failures         int
}

// Lease is how ElectorLease goes about it.
type Lease struct {
	Name                                 string
	Duration, RenewDeadline, RetryPeriod time.Duration
}

// Raft is how ElectorRaft goes about it. Files are the host's.
type Raft struct {
	Peers                []string // NAME=HOST:PORT
	Join                 bool     // to those that have begun
	Address              string   // to listen on
	Directory            string   // "": in memory
	CA, Certificate, Key string
	Heartbeat            time.Duration
}

// Service is what concerns the addresses of Services.
type Service struct {
	Pools     string // NAMESPACE/NAME of the ConfigMap; "": herald in the Pods' namespace
	Classes   []string
	ClassOnly bool
	Metrics   string // the agent's address of metrics
	Health    string // and of its health
}

// Defaults.
const (
	DefaultNamespace = "kube-system"
)

func (o *Options) check() error {
	switch {
	case !o.ControlPlane && !o.Services:
		return errors.New("neither --controlplane nor --services: nothing to run")
	case o.ControlPlane && len(o.VIP.Addresses) == 0:
		return errors.New("--controlplane needs --vip or --address: the address of the control plane")
	case o.Image == "":
		return errors.New("--image: no image")
	}
	if h := o.Service.Health; h != "" {
		if _, port, err := net.SplitHostPort(h); err != nil || !isPort(port) {
			return fmt.Errorf("address of the health %q: HOST:PORT", h)
		}
	}
	switch o.VIP.Elector {
	case ElectorHeartbeat, ElectorLease:
	case ElectorBGP:
		if len(o.BGP) == 0 {
			return errors.New("--elector bgp goes with --bgp, and routers: --bgppeers ADDRESS:AS")
		}
		if o.VIP.Balance {
			return errors.New("--enableLoadBalancer: by BGP, routers share the connections out")
		}
	case ElectorRaft:
		if len(o.Raft.Peers) == 0 {
			return errors.New("--elector raft needs --raft-peers NAME=HOST, one for each node")
		}
		if o.Raft.CA == "" || o.Raft.Certificate == "" || o.Raft.Key == "" {
			return errors.New("--elector raft needs --raft-ca, --raft-cert and --raft-key, all of them")
		}
	default:
		return fmt.Errorf("--elector %q: heartbeat, raft, lease or bgp", o.VIP.Elector)
	}
	if s := o.VIP.BackendSource; s != "" && s != "nodes" && s != "endpoints" {
		return fmt.Errorf("--lb-source %q: nodes or endpoints", s)
	}
	return nil
}

// paths are where a distribution has what concerns its API server.
type paths struct {
	ca, kubeconfig   string
	certificate, key string // of a client
	etcd             string // directory of its certificates
}

// paths returns an error that names the flag.
func (o *Options) paths() (paths, error) {
	switch o.Distribution {
	case "", "kubeadm":
		return paths{
			ca: "/etc/kubernetes/pki/ca.crt", kubeconfig: "/etc/kubernetes/admin.conf", etcd: "/etc/kubernetes/pki/etcd",
		}, nil
	case "k3s", "rke2":
		// Their API servers answer no stranger. Of all certificates on a node,
		// kube-proxy's may do least.
		root := "/var/lib/rancher/" + o.Distribution
		return paths{
			ca:          root + "/server/tls/server-ca.crt",
			kubeconfig:  "/etc/rancher/" + o.Distribution + "/" + o.Distribution + ".yaml",
			certificate: root + "/agent/client-kube-proxy.crt",
			key:         root + "/agent/client-kube-proxy.key",
		}, nil
	}
	return paths{}, fmt.Errorf("--distribution %q: kubeadm, k3s or rke2", o.Distribution)
}

// Complete fills in defaults, and returns an error that names the flag that is at fault.
func (o *Options) Complete() error {
	host, err := o.paths()
	if err != nil {
		return err
	}
	if h := &o.VIP.Health; o.ControlPlane && h.Certificate == "" && h.Key == "" {
		h.Certificate, h.Key = host.certificate, host.key
	}
	if r := &o.Raft; o.VIP.Elector == ElectorRaft && r.CA == "" && r.Certificate == "" && r.Key == "" && host.etcd != "" {
		r.CA, r.Certificate, r.Key = host.etcd+"/ca.crt", host.etcd+"/peer.crt", host.etcd+"/peer.key"
	}
	o.Namespace = or(o.Namespace, DefaultNamespace)
	o.VIP.Elector = or(o.VIP.Elector, ElectorHeartbeat)
	o.Service.Pools = or(o.Service.Pools, o.Namespace+"/"+name)
	if o.backendsFromAPI() {
		o.VIP.BackendSource = or(o.VIP.BackendSource, "nodes")
	}
	return o.check()
}

// external says whether the VIP's announcer is told by herald controlplane.
func (o *Options) external() bool {
	return o.ControlPlane && !o.agentTells() && (o.VIP.Elector != ElectorHeartbeat || o.backendsFromAPI())
}

// agentTells says whether the agent tells the routers of the VIP too: a router has one
// session with a node.
func (o *Options) agentTells() bool {
	return o.ControlPlane && o.Services && o.VIP.Elector == ElectorBGP
}

func (o *Options) backendsFromAPI() bool { return o.VIP.Balance && len(o.VIP.Backends) == 0 }

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port != 0
}
