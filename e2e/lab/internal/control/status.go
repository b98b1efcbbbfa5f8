package control

import (
	"fmt"
	"net/netip"
	"time"

	"go4.org/netipx"

	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

const (
	// Keepalived is the Elector that stands in the place of Herald, with HAProxy.
	Keepalived = "keepalived"
	// HAProxyPort is where HAProxy is asked then.
	HAProxyPort = 8443
	// BGP is the Elector that is none: each control plane has the VIP, and tells the router.
	BGP = "bgp"
	// BIRDSocket is where the router's BIRD is asked then.
	BIRDSocket = "/run/lab/bird.ctl"
)

// Parameters are what a lab is made of; two labs with equal parameters are
// the same.
type Parameters struct {
	// Nodes is the number of Kubernetes nodes, 1 to 79.
	Nodes int `json:"nodes"`
	// Family is the IP families of hosts, Pods and Services.
	Family topology.Family `json:"family"`
	// ProxyMinSync is kube-proxy's least time between two changes of its
	// rules. Kubernetes' default of 1 s would hide Herald's own speed.
	ProxyMinSync time.Duration `json:"proxyMinSync"`
	// Deploy is the kustomization that is applied, relative to the checkout;
	// empty for a cluster without Herald.
	Deploy string `json:"deploy,omitempty"`

	// ControlPlanes is the number of hosts with an API server and a member of etcd.
	ControlPlanes int `json:"controlPlanes"`
	// VIP are the addresses, separated by commas, that Herald holds for the control
	// plane, and that all kubeconfigs lead to; "auto" are those that the lab has free
	// for it. Empty: none, and kubeconfigs lead to the first control plane.
	VIP string `json:"vip,omitempty"`
	// Elector chooses the VIP's holder: heartbeat, raft, lease, BGP, or Keepalived.
	Elector string `json:"elector,omitempty"`
	// Balance has the VIP's holder share connections out to all API servers.
	Balance bool `json:"balance,omitempty"`
	// AnnouncerArgs and ElectorArgs are further arguments, separated by spaces, of
	// the control planes' herald announcer and herald controlplane.
	AnnouncerArgs string `json:"announcerArgs,omitempty"`
	ElectorArgs   string `json:"electorArgs,omitempty"`
}

// String returns the parameters as lab up takes them.
func (p Parameters) String() string {
	text := fmt.Sprintf("--nodes=%d --family=%s --proxy-min-sync=%s --deploy=%s", p.Nodes, p.Family, p.ProxyMinSync, p.Deploy)
	if p.ControlPlanes > 1 || p.VIP != "" {
		text += fmt.Sprintf(" --control-planes=%d --vip=%s --elector=%s --lb=%t --announcer-args=%q --elector-args=%q",
			p.ControlPlanes, p.VIP, p.Elector, p.Balance, p.AnnouncerArgs, p.ElectorArgs)
	}
	return text
}

// Phase is how far a lab has come.
type Phase string

// The phases of a lab.
const (
	Starting Phase = "Starting"
	Ready    Phase = "Ready"
)

// Status is what a lab says of itself.
type Status struct {
	Parameters Parameters `json:"parameters"`
	Phase      Phase      `json:"phase"`
	// PID is the lab's first process as the machine numbers it.
	PID int `json:"pid"`
	// Server is the API server's URL as the machine reaches it.
	Server string `json:"server"`
	Hosts  []Host `json:"hosts"`
	// VIPs are the control plane's addresses that Herald holds.
	VIPs []netip.Addr `json:"vips,omitempty"`
	// Pools are the ranges that Herald may hand out, one per family.
	Pools     []netipx.IPRange `json:"pools"`
	Processes []Process        `json:"processes"`
}

// Host is one namespace of the lab.
type Host struct {
	Name      string       `json:"name"`
	Addresses []netip.Addr `json:"addresses"`
	MAC       string       `json:"mac"`
	Node      bool         `json:"node,omitempty"`
}

// Process is one component of the cluster.
type Process struct {
	Component string `json:"component"`
	Host      string `json:"host"`
	// PID is the id inside the lab.
	PID int `json:"pid"`
	// Exit tells how the process ended; empty while it runs.
	Exit string `json:"exit,omitempty"`
}

// Progress is one line of what a starting lab does.
type Progress struct {
	// Elapsed is the time since the start.
	Elapsed time.Duration `json:"elapsed"`
	Text    string        `json:"text"`
	// Failed marks the last line of a lab that did not come up.
	Failed bool `json:"failed,omitempty"`
}
