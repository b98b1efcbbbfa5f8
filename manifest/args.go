package manifest

import (
	"strconv"
	"strings"
	"time"
)

// Ports of the host that the Service roles use where they share its network. The
// controller's are for this host alone.
const (
	agentMetrics      = ":9643"
	agentHealth       = ":9644"
	controllerMetrics = "127.0.0.1:9641"
	controllerHealth  = "127.0.0.1:9642"
)

// controlPlaneSocket is the one of the VIP's announcer.
const controlPlaneSocket = "/run/herald/controlplane.sock"

// arguments collects flags, but for those without a value.
type arguments []string

func (a *arguments) text(flag, value string) {
	if value != "" {
		*a = append(*a, "--"+flag+"="+value)
	}
}

func (a *arguments) list(flag string, values []string) { a.text(flag, strings.Join(values, ",")) }

func (a *arguments) number(flag string, value int) {
	if value != 0 {
		a.text(flag, strconv.Itoa(value))
	}
}

func (a *arguments) period(flag string, value time.Duration) {
	if value != 0 {
		a.text(flag, value.String())
	}
}

func (a *arguments) set(flag string, on bool) {
	if on {
		*a = append(*a, "--"+flag)
	}
}

// health are the flags that the VIP's announcer and herald controlplane share.
func (a *arguments) health(h Health) {
	a.text("health-url", h.URL)
	a.text("health-ca", h.CA)
	a.text("health-cert", h.Certificate)
	a.text("health-key", h.Key)
	a.text("health-token", h.Token)
	a.period("health-period", h.Period)
	a.period("health-timeout", h.Timeout)
	a.number("health-failures", h.Failures)
}

func (o *Options) vipAnnouncer() []string {
	a := arguments{"--controlplane"}
	a.list("vip", o.VIP.Addresses)
	if o.VIP.Elector != ElectorBGP {
		a.text("interface", o.VIP.Interface)
	}
	a.number("port", int(o.VIP.Port))
	a.text("elector", o.VIP.Elector)
	a.health(o.VIP.Health)
	a.set("lb", o.VIP.Balance)
	if o.VIP.Balance {
		a.number("lb-port", int(o.VIP.BalancePort))
		a.list("lb-backend", o.VIP.Backends)
	}
	return o.common(a)
}

func (o *Options) serviceAnnouncer() []string { return o.common(nil) }

// common are the flags of both announcers.
func (o *Options) common(a arguments) []string {
	a.text("node-name", o.NodeName)
	a.text("heartbeat-key-dir", o.KeyDirectory)
	a.text("log-level", o.LogLevel)
	return a
}

func (o *Options) elector() []string {
	var a arguments
	if o.VIP.Elector != ElectorHeartbeat {
		a.text("elector", o.VIP.Elector)
	}
	if o.backendsFromAPI() {
		a.text("lb-source", o.VIP.BackendSource)
	}
	a.number("port", int(o.VIP.Port))
	a.health(o.VIP.Health)
	if o.VIP.Elector == ElectorLease {
		a.text("lease-name", o.Lease.Name)
		a.text("lease-namespace", o.Namespace)
		a.period("lease-duration", o.Lease.Duration)
		a.period("renew-deadline", o.Lease.RenewDeadline)
		a.period("retry-period", o.Lease.RetryPeriod)
	}
	if o.VIP.Elector == ElectorRaft {
		a.list("raft-peers", o.Raft.Peers)
		a.set("raft-join", o.Raft.Join)
		a.text("raft-address", o.Raft.Address)
		a.text("raft-dir", o.Raft.Directory)
		a.text("raft-ca", o.Raft.CA)
		a.text("raft-cert", o.Raft.Certificate)
		a.text("raft-key", o.Raft.Key)
		a.period("raft-heartbeat", o.Raft.Heartbeat)
	}
	a.text("kubeconfig", o.electorKubeconfig())
	a.text("node-name", o.NodeName)
	a.text("log-level", o.LogLevel)
	return a
}

// electorKubeconfig is none where nothing asks the API.
func (o *Options) electorKubeconfig() string {
	if o.VIP.Elector != ElectorLease && !o.backendsFromAPI() {
		return ""
	}
	return o.Kubeconfig
}

func (o *Options) cluster(metrics, health string) arguments {
	var a arguments
	a.text("config-map", o.Service.Pools)
	a.list("class", o.Service.Classes)
	a.set("class-only", o.Service.ClassOnly)
	a.text("kubeconfig", o.Kubeconfig)
	a.text("metrics-address", metrics)
	a.text("health-address", health)
	a.text("log-level", o.LogLevel)
	return a
}

func (o *Options) agent() []string {
	a := o.cluster(or(o.Service.Metrics, agentMetrics), or(o.Service.Health, agentHealth))
	a.text("node-name", o.NodeName)
	// kubeadm labels the nodes that this is for so that no address of a Service comes there.
	a.set("serve-excluded", o.controlPlaneNodes)
	if o.agentTells() {
		a.text("controlplane-socket", controlPlaneSocket)
		a.number("port", int(o.VIP.Port))
		a.health(o.VIP.Health)
	}
	return a
}

func (o *Options) controller() []string {
	a := o.cluster(controllerMetrics, controllerHealth)
	a.text("namespace", o.Namespace)
	return a
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
