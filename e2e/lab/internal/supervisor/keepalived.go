package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// startKeepalived starts what stands in the place of Herald for comparison: keepalived for
// the VIP, and HAProxy in front of the API servers.
func (s *Supervisor) startKeepalived(host topology.Host) error {
	vrrp, balancer, check := configOf(host, "keepalived.conf"), configOf(host, "haproxy.cfg"), configOf(host, "check_apiserver.sh")
	for _, file := range []struct {
		path, text string
		mode       os.FileMode
	}{
		{check, checkScript(), 0o700},
		{vrrp, s.keepalivedConfig(host, check), 0o600},
		{balancer, s.haproxyConfig(), 0o600},
	} {
		if err := os.WriteFile(file.path, []byte(file.text), file.mode); err != nil {
			return err
		}
	}
	if err := s.start("haproxy", host.Name, "haproxy", "-db", "-f", balancer); err != nil {
		return err
	}
	return s.start("keepalived", host.Name, "keepalived", "--dont-fork", "--vrrp", "--log-console",
		"--use-file="+vrrp, "--pid="+configOf(host, "keepalived.pid"), "--vrrp_pid="+configOf(host, "vrrp.pid"))
}

func configOf(host topology.Host, name string) string {
	return filepath.Join(stateDir, host.Name+"-"+name)
}

// checkScript is that of kubeadm's guide to high availability, but for /readyz in the place
// of /healthz.
func checkScript() string {
	return fmt.Sprintf(`#!/bin/sh
curl -sfk --max-time 2 https://localhost:%d/readyz -o /dev/null
`, control.HAProxyPort)
}

// keepalivedConfig is that guide's, with an instance for each family.
func (s *Supervisor) keepalivedConfig(host topology.Host, check string) string {
	state, priority := "BACKUP", 100
	if host.Name == topology.ControlPlane {
		state, priority = "MASTER", 101
	}
	var text strings.Builder
	fmt.Fprintf(&text, `global_defs {
    router_id LVS_DEVEL
    script_user root
    enable_script_security
}
vrrp_script check_apiserver {
    script "%s"
    interval 3
    weight -2
    fall 10
    rise 2
}
`, check)
	for i, vip := range s.vips {
		fmt.Fprintf(&text, `vrrp_instance VI_%d {
    state %s
    interface eth0
    virtual_router_id %d
    priority %d
    virtual_ipaddress {
        %s
    }
    track_script {
        check_apiserver
    }
}
`, i+1, state, 51+i, priority, vip)
	}
	return text.String()
}

// haproxyConfig is that guide's, but for /readyz.
func (s *Supervisor) haproxyConfig() string {
	var text strings.Builder
	fmt.Fprintf(&text, `defaults
    mode                    http
    option                  http-server-close
    option                  redispatch
    retries                 1
    timeout http-request    10s
    timeout queue           20s
    timeout connect         5s
    timeout client          35s
    timeout server          35s
    timeout http-keep-alive 10s
    timeout check           10s
frontend apiserver
    bind :::%d v4v6
    mode tcp
    default_backend apiserverbackend
backend apiserverbackend
    option httpchk
    http-check connect ssl
    http-check send meth GET uri /readyz
    http-check expect status 200
    mode tcp
    balance roundrobin
`, control.HAProxyPort)
	for _, host := range s.controlPlanes() {
		fmt.Fprintf(&text, "    server %s %s:%d check verify none\n", host.Name, host.Addresses()[0], serverPort)
	}
	return text.String()
}
