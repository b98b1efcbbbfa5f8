package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// commands are what docs/kubeadm.md has a reader type; its test compares them.
type commands struct {
	herald string // the image
	vip    netip.Addr
	peers  []peer // the control planes, in order
}

type peer struct {
	name string
	addr netip.Addr
}

func newCommands(d *datacentre, herald string) commands {
	c := commands{herald: herald, vip: d.address(vipHost)}
	for _, name := range controlPlanes() {
		c.peers = append(c.peers, peer{name, d.node(name)})
	}
	return c
}

const (
	manifests = "/etc/kubernetes/manifests"
	adminConf = "/etc/kubernetes/admin.conf"

	importImage = "ctr --namespace k8s.io images import herald.tar"
	mkManifests = "mkdir -p " + manifests

	kubeadmInit = "kubeadm init --config kubeadm.yaml --upload-certs"
	spreadDNS   = "kubectl -n kube-system rollout restart deployment coredns"

	getNodes = "kubectl get node -o wide"
	getPods  = "kubectl -n kube-system get pod -l app.kubernetes.io/name=herald -o wide"
	getVIP   = "ip address show dev eth0"

	getService = "kubectl -n kube-system get service web"
)

// inContainer has kubeadm go on where a container's kernel, modules and swap are not as
// it expects.
const inContainer = " --ignore-preflight-errors SystemVerification,Swap,FileContent--proc-sys-net-bridge-bridge-nf-call-iptables"

// run is a program of Herald's, from its image, on a node without a cluster.
func (c *commands) run(flags, name, args string) string {
	return fmt.Sprintf("ctr --namespace k8s.io run --rm %s%s %s /herald %s", flags, c.herald, name, args)
}

// manifest prints the static Pod: the article's command, with the program's name changed.
func (c *commands) manifest(more string) string {
	return c.run("", "manifest", fmt.Sprintf("manifest pod --image %s --interface eth0 --vip %s --controlplane --services --arp --leaderElection%s",
		c.herald, c.vip, more))
}

// first writes it where there is none yet.
func (c *commands) first(more string) string {
	return c.manifest(more) + " > " + manifests + "/herald.yaml"
}

// again writes another. The kubelet is to see all of it, or nothing.
func (c *commands) again(more string) string {
	return c.manifest(more) + " > /etc/kubernetes/herald.yaml && mv /etc/kubernetes/herald.yaml " + manifests
}

func (c *commands) endpoint() string { return netip.AddrPortFrom(c.vip, 6443).String() }

// raft are the flags for the first node's Pod while there is no other, for those that
// join, and for the first one's when they have.
func (c *commands) raft() (alone, joins, all string) {
	names := make([]string, 0, len(c.peers))
	for _, p := range c.peers {
		names = append(names, p.name+"="+p.addr.String())
	}
	const elector = " --elector raft"
	peers := " --raft-peers " + strings.Join(names, ",")
	return elector + " --raft-peers " + names[0], elector + " --raft-join" + peers, elector + peers
}

const lease = " --elector lease"

// ticket is what kubeadm init prints for those that join.
type ticket struct{ token, hash, key string }

func (c *commands) joinWorker(t ticket) string {
	return fmt.Sprintf("kubeadm join %s --token %s --discovery-token-ca-cert-hash %s", c.endpoint(), t.token, t.hash)
}

func (c *commands) joinControlPlane(t ticket) string {
	return c.joinWorker(t) + " --control-plane --certificate-key " + t.key
}

func pools(first, last netip.Addr) string {
	return fmt.Sprintf("kubectl -n kube-system create configmap herald --from-literal range-global=%s-%s", first, last)
}

// expose has CoreDNS, which is there, say by an address of Herald's if it is ready.
const expose = "kubectl -n kube-system expose deployment coredns --name web --type LoadBalancer --port 80 --target-port 8181"

// leave are the commands that take a node away: by kubectl, on the node, and there when
// the Pod is gone.
func (c *commands) leave(name string) (drain, stop, sweep, reset string) {
	return "kubectl drain " + name + " --ignore-daemonsets",
		"rm " + manifests + "/herald.yaml",
		c.run("--net-host --cap-add CAP_NET_ADMIN ", "cleanup", "cleanup"),
		"kubeadm reset"
}
