package kind

// Name is the cluster's; those of its containers begin with it.
const Name = "herald-e2e"

// config is what kind is told, but for the IP families. A node that is gone is not Ready after 15 s in place of 50,
// a Secret reaches Pods and a container that keeps ending starts again within seconds:
// cases wait for each.
const config = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {ipFamily: %s, kubeProxyMode: nftables}
nodes: [{role: control-plane}, {role: worker}, {role: worker}]
kubeadmConfigPatches:
- |
  kind: ClusterConfiguration
  controllerManager: {extraArgs: [{name: node-monitor-grace-period, value: 15s}]}
- |
  kind: KubeletConfiguration
  nodeStatusUpdateFrequency: 3s
  syncFrequency: 5s
  crashLoopBackOff: {maxContainerRestartPeriod: 2s}
`

// The cluster's nodes. Workers come first: a case that harms any one node had better not
// take the one that has the API server.
const (
	ControlPlane = Name + "-control-plane"
	worker1      = Name + "-worker"
	worker2      = Name + "-worker2"
)

// Nodes are all of them.
func Nodes() []string { return []string{worker1, worker2, ControlPlane} }

// The hosts beside the nodes: a client on their segment, and one behind a router.
const (
	Client = Name + "-client"
	Router = Name + "-router"
	Remote = Name + "-remote"
)

// Interface is the link of nodes, Client and Router to the segment, Uplink that of Router
// towards Remote.
const (
	Interface = "eth0"
	Uplink    = "eth1"
)

// label is that of the containers that are not kind's.
const label = "io.heraldlb.e2e=kind"

// network is docker's that kind makes.
const network = "kind"
