package settings

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/heraldlb/herald/manifest"
)

// ownClass is served beside another that is named.
const ownClass = "heraldlb.io/herald"

// Options returns what the values ask for, and a line for each of kube-vip's settings
// that Herald does in its own way or not at all.
func (v Values) Options() (o manifest.Options, notes []string, err error) {
	elector, err := v.elector()
	if err != nil {
		return o, nil, err
	}
	period, timeout, err := v.healthTimes()
	if err != nil {
		return o, nil, err
	}
	raftHeartbeat, err := v.span("raft-heartbeat")
	if err != nil {
		return o, nil, err
	}
	port, err := v.port("port")
	if err != nil {
		return o, nil, err
	}
	balancePort, err := v.port("lbPort")
	if err != nil {
		return o, nil, err
	}
	o = manifest.Options{
		Image:        v.text("image"),
		Namespace:    v.text("namespace"),
		LogLevel:     v.logLevel(),
		Distribution: v.first("distribution"),
		ControlPlane: v.on("controlplane"),
		Services:     v.on("services"),
		NodeName:     v.text("nodeName"),
		Kubeconfig:   v.first("k8sConfigPath"),
		Taint:        false,
		KeyDirectory: v.text("heartbeat-key-dir"),
		VIP: manifest.VIP{
			Addresses: v.addresses(),
			Interface: v.text("interface"),
			Port:      port,
			Elector:   elector,
			Health: manifest.Health{
				URL:         v.healthURL(),
				CA:          v.first("health-ca", "controlPlaneHealthCheckCAPath"),
				Certificate: v.text("health-cert"),
				Key:         v.text("health-key"),
				Period:      period,
				Timeout:     timeout,
				Failures:    v.failures(),
			},
			Balance:       v.on("enableLoadBalancer"),
			Backends:      v.list("lb-backend"),
			BackendSource: v.first("lb-source"),
		},
		Lease: manifest.Lease{
			Name:          v.first("leaseName"),
			Duration:      v.seconds("leaseDuration"),
			RenewDeadline: v.seconds("leaseRenewDuration"),
			RetryPeriod:   v.seconds("leaseRetry"),
		},
		Raft: manifest.Raft{
			Peers: v.list("raft-peers"), Join: v.on("raft-join"), Address: v.text("raft-address"), Directory: v.text("raft-dir"),
			CA: v.text("raft-ca"), Certificate: v.text("raft-cert"), Key: v.text("raft-key"),
			Heartbeat: raftHeartbeat,
		},
		Service: manifest.Service{
			Pools:     v.first("config-map"),
			Classes:   v.classes(),
			ClassOnly: v.on("lbClassOnly"),
			Metrics:   v.first("prometheusHTTPServer"),
			Health:    v.healthAddress(),
		},
	}
	if o.VIP.Balance && balancePort != port {
		o.VIP.BalancePort = balancePort
	}
	if elector == manifest.ElectorBGP && o.VIP.BalancePort == 0 {
		o.VIP.Balance = false // as notes says
	}
	o.BGP = v.bgp()
	return o, v.notes(elector), nil
}

// bgp returns the environment of what speaks BGP.
func (v Values) bgp() []manifest.Variable {
	if !v.on("bgp") {
		return nil
	}
	all := []manifest.Variable{{Name: "bgp_enable", Value: "true"}}
	for _, s := range BGP() {
		if one := v.all[s.Name()]; one.given() && s.Outcome == Same {
			all = append(all, manifest.Variable{Name: s.Env, Value: one.text})
		}
	}
	return all
}

// addresses are kube-vip's --address, or its older --vip.
func (v Values) addresses() []string {
	if all := v.list("address"); len(all) > 0 {
		return all
	}
	return v.list("vip")
}

// elector takes kube-vip's wish for Leases for a wish for an election: that is what
// its documentation tells everybody to ask for.
func (v Values) elector() (string, error) {
	kind := v.all["leaderElectionType"]
	switch {
	case kind.text == "etcd":
		return "", fmt.Errorf("%s etcd: %s", kind, kind.Text)
	case kind.text != "kubernetes":
		return "", fmt.Errorf("%s %q: kubernetes", kind, kind.text)
	case v.given("elector"):
		return v.text("elector"), nil
	case v.on("bgp") && v.on("controlplane"):
		return manifest.ElectorBGP, nil
	case kind.given():
		return manifest.ElectorLease, nil
	}
	return manifest.ElectorHeartbeat, nil
}

func (v Values) port(name string) (uint16, error) {
	one := v.all[name]
	port, err := strconv.ParseUint(one.text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%s %s: no port", one, one.text)
	}
	return uint16(port), nil
}

// seconds is 0 for what nobody wished.
func (v Values) seconds(name string) time.Duration {
	if !v.given(name) {
		return 0
	}
	return time.Duration(v.number(name)) * time.Second
}

func (v Values) healthTimes() (period, timeout time.Duration, err error) {
	if period, err = v.duration("health-period", "controlPlaneHealthCheckPeriodSeconds"); err != nil {
		return 0, 0, err
	}
	timeout, err = v.duration("health-timeout", "controlPlaneHealthCheckTimeoutSeconds")
	return period, timeout, err
}

// duration is Herald's setting, or kube-vip's in seconds.
func (v Values) duration(own, inSeconds string) (time.Duration, error) {
	if v.all[own].text == "" {
		return v.seconds(inSeconds), nil
	}
	return v.span(own)
}

// span is 0 for what nobody wished.
func (v Values) span(name string) (time.Duration, error) {
	one := v.all[name]
	if one.text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(one.text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s %q: a time, such as 500ms", one, one.text)
	}
	return d, nil
}

func (v Values) failures() int {
	switch {
	case v.given("health-failures"):
		return v.number("health-failures")
	case v.given("controlPlaneHealthCheckFailureThreshold"):
		return v.number("controlPlaneHealthCheckFailureThreshold")
	}
	return 0
}

// healthURL completes an address.
func (v Values) healthURL() string {
	url := v.first("health-url", "controlPlaneHealthCheckAddress")
	if url == "" || strings.Contains(url, "://") {
		return url
	}
	return "https://" + url + "/readyz"
}

func (v Values) healthAddress() string {
	if !v.given("healthCheckPort") {
		return ""
	}
	return net.JoinHostPort("", v.text("healthCheckPort"))
}

// classes are none where nobody named one: the programs have a default.
func (v Values) classes() []string {
	if !v.given("lbClassName") && !v.on("lbClassOnly") {
		return nil
	}
	return []string{ownClass, v.text("lbClassName")}
}

// Classes are Herald's and the one that kube-vip serves by default.
func Classes() []string {
	for _, s := range services() {
		if s.Flag == "lbClassName" {
			return []string{ownClass, s.Default}
		}
	}
	return nil
}

// logLevel reads kube-vip's numbers: slog's today, logrus' of old, where 4 was
// information and 5 debug.
func (v Values) logLevel() string {
	const oldInfo = 4
	switch level := v.number("log"); {
	case v.given("log-level"):
		return v.text("log-level")
	case level < 0 || level > oldInfo:
		return "debug"
	}
	return ""
}
