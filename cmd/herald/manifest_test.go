package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// manifests are command lines; what they print is in testdata/manifest, by name.
// Package deploy holds each against an API server.
func manifests() map[string]string {
	const peers = " --raft-peers cp-1=192.168.0.11,cp-2=192.168.0.12,cp-3=192.168.0.13"
	return map[string]string{
		"pod-article":    "pod --interface eth0 --vip 192.168.0.100 --controlplane --services --arp --leaderElection",
		"pod-heartbeat":  "pod --address 192.168.0.100,fd00::100 --controlplane --arp",
		"pod-dns":        "pod --address api.example.org --controlplane --port 8443 --log -4 --heartbeat-key-dir /etc/herald/keys",
		"pod-lease":      "pod --address 192.168.0.100 --controlplane --elector lease --leaseDuration 5 --leaseRenewDuration 3 --leaseRetry 1",
		"pod-super":      "pod --address 192.168.0.100 --controlplane --leaderElectionType kubernetes --k8sConfigPath /etc/kubernetes/super-admin.conf",
		"pod-raft":       "pod --address 192.168.0.100 --controlplane --elector raft" + peers,
		"pod-raft-disk":  "pod --address 192.168.0.100 --controlplane --elector raft --raft-join --raft-dir /var/lib/herald --raft-address 192.168.0.11:9647 --raft-heartbeat 500ms" + peers,
		"pod-lb":         "pod --address 192.168.0.100 --controlplane --enableLoadBalancer --lbPort 8443",
		"pod-lb-static":  "pod --address 192.168.0.100 --controlplane --enableLoadBalancer --lb-backend 192.168.0.11,192.168.0.12:6444",
		"pod-services":   "pod --services --arp --healthCheckPort 9999 --prometheusHTTPServer 127.0.0.1:9998 --lbClassOnly --config-map kube-system/kubevip",
		"pod-everything": "pod --address 192.168.0.100 --controlplane --services --enableLoadBalancer --lb-source endpoints --elector lease --nodeName cp-1 --controlPlaneHealthCheckAddress 127.0.0.1:6443 --controlPlaneHealthCheckPeriodSeconds 2 --health-failures 4",
		"pod-k3s":        "pod --distribution k3s --address 192.168.0.100 --controlplane --enableLoadBalancer",

		"pod-bgp":          "pod --interface lo --vip 192.168.0.100 --controlplane --bgp --localAS 65000 --bgppeers 192.168.0.1:65001:secret:false:179::true;50;50;3,192.168.0.2:65001",
		"pod-bgp-single":   "pod --interface eth0 --vip fd00::100 --controlplane --bgp --arp --bgpRouterID 192.168.0.11 --sourceIP 192.168.0.11 --peerAddress 192.168.0.1 --peerAS 65001 --peerPass secret --multihop",
		"pod-bgp-both":     "pod --interface lo --vip 192.168.0.100 --controlplane --services --bgp --bgppeers 192.168.0.1:65001",
		"pod-bgp-services": "pod --services --bgp --bgppeers 192.168.0.1:65001",
		"pod-bgp-elector":  "pod --address 192.168.0.100 --controlplane --services --elector heartbeat --bgp --bgppeers 192.168.0.1:65001",
		"daemonset-bgp":    "daemonset --interface lo --address 192.168.0.100 --controlplane --services --bgp --bgppeers 192.168.0.1:65001 --inCluster --taint",

		"daemonset-k3s":      "daemonset --distribution k3s --interface eth0 --address 192.168.0.100 --controlplane --arp --inCluster --taint",
		"daemonset-rke2":     "daemonset --distribution rke2 --address 192.168.0.100 --controlplane --elector lease",
		"daemonset-services": "daemonset --services --arp --inCluster --servicesElection",
		"daemonset-both":     "daemonset --address 192.168.0.100 --controlplane --services --enableLoadBalancer --image registry.example/herald",
		"daemonset-file":     "daemonset --address 192.168.0.100 --controlplane --elector lease --k8sConfigPath /etc/rancher/k3s/k3s.yaml",

		"rbac-lease":     "rbac --address 192.168.0.100 --controlplane --elector lease",
		"rbac-nodes":     "rbac --address 192.168.0.100 --controlplane --enableLoadBalancer",
		"rbac-endpoints": "rbac --address 192.168.0.100 --controlplane --enableLoadBalancer --lb-source endpoints",
		"rbac-services":  "rbac --services",
		"rbac-both":      "rbac --address 192.168.0.100 --controlplane --services --elector lease --config-map default/pools",
	}
}

// herald runs a command line.
func herald(t *testing.T, line string) (stdout, stderr string, err error) {
	t.Helper()
	var out, complaints bytes.Buffer
	root := newRootCommand()
	root.SetArgs(strings.Fields(line))
	root.SetOut(&out)
	root.SetErr(&complaints)
	err = root.ExecuteContext(t.Context())
	return out.String(), complaints.String(), err
}

func TestManifests(t *testing.T) {
	for name, line := range manifests() {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := herald(t, "manifest "+line)
			if err != nil {
				t.Fatal(err)
			}
			text := "# herald manifest " + line + "\n"
			for note := range strings.Lines(stderr) {
				text += "# " + note
			}
			golden(t, filepath.Join("testdata", "manifest", name+".yaml"), text+stdout)
		})
	}
}

func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s, see -update (-want +got):\n%s", path, diff)
	}
}

func TestManifestErrors(t *testing.T) {
	for line, want := range map[string]string{
		"pod":                         "neither --controlplane nor --services",
		"pod --controlplane":          "--controlplane needs --vip or --address",
		"pod --controlplane --vipp x": "unknown flag: --vipp; the nearest there is: --vip",
		"daemonset --tain":            "unknown flag: --tain; the nearest there is: --taint",
		"pod --completelyunlikely":    "unknown flag: --completelyunlikely",
		"pod --controlplane --vip 192.0.2.1 --elector quorum":                                         `--elector "quorum"`,
		"pod --controlplane --vip 192.0.2.1 --elector raft":                                           "--raft-peers",
		"pod --controlplane --vip 192.0.2.1 --raft-heartbeat soon":                                    `--raft-heartbeat "soon"`,
		"daemonset --distribution k3s --controlplane --vip 192.0.2.1 --elector raft --raft-peers a=b": "--raft-ca, --raft-cert and --raft-key",
		"pod --controlplane --vip 192.0.2.1 --distribution minikube":                                  `--distribution "minikube"`,
		"pod --controlplane --vip 192.0.2.1 --inCluster":                                              "--inCluster: a static Pod has no ServiceAccount",
		"pod --controlplane --vip 192.0.2.1 --enableLoadBalancer --lb-source dns":                     `--lb-source "dns"`,
		"pod --services --healthCheckPort 99999":                                                      `":99999"`,
		"rbac --controlplane --vip 192.0.2.1":                                                         "no rights are needed",
		"rbac --services --role":                                                                      "--role:",
		"pod --controlplane --vip 192.0.2.500":                                                        `"192.0.2.500": no address`,
		"pod --controlplane --vip 192.0.2.1/24":                                                       `"192.0.2.1/24": no address`,
		"pod --controlplane --address 192.0.2.1,192.0.2.2":                                            "192.0.2.2: a second address of its family",
		"pod --controlplane --vip 192.0.2.1 --controlPlaneHealthCheckAddress http://localhost":        "http://localhost",
		"pod --controlplane --vip 192.0.2.1 --controlPlaneHealthCheckPeriodSeconds=-5":                "--health-period -5s",
		"pod --controlplane --vip 192.0.2.1 --health-cert client.crt":                                 "--health-key",
		"pod --controlplane --vip 192.0.2.1 --enableLoadBalancer --lb-backend cp-1":                   `--lb-backend "cp-1"`,
		"pod --controlplane --vip 192.0.2.1 --elector raft --raft-peers cp-1":                         `peer "cp-1"`,
		"pod --controlplane --vip 192.0.2.1 --elector lease --leaseDuration 5":                        "--leaseDuration",
		"pod now": "now",

		"pod --controlplane --vip 192.0.2.1 --bgp":                                                             "--bgp: environment bgp_peers: no peer",
		"pod --controlplane --vip 192.0.2.1 --bgp --bgppeers 192.0.2.254":                                      "peer 192.0.2.254: AS: is missing",
		"pod --controlplane --vip 192.0.2.1 --bgp --bgppeers 192.0.2.254:1 --localAS 0":                        "--bgp: environment bgp_as",
		"pod --controlplane --vip 192.0.2.1 --elector bgp":                                                     "--elector bgp goes with --bgp",
		"pod --controlplane --vip 192.0.2.1 --annotations bgp":                                                 "--annotations: routers are not read",
		"pod --controlplane --vip 192.0.2.1 --bgp --bgppeers 192.0.2.254:1 --enableLoadBalancer --lbPort 8443": "routers share the connections out",
	} {
		if stdout, _, err := herald(t, "manifest "+line); err == nil || !strings.Contains(err.Error(), want) || stdout != "" {
			t.Errorf("%s: error %v, want %q in it; output %q", line, err, want, stdout)
		}
	}
}

func TestManifestReadsTheEnvironment(t *testing.T) {
	for name, text := range map[string]string{
		"cp_enable": "true", "address": "192.0.2.1", "vip_interface": "eth9", "port": "7443", "vip_leaderelection": "true",
	} {
		t.Setenv(name, text)
	}
	stdout, stderr, err := herald(t, "manifest pod --interface eth0")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--vip=192.0.2.1", "--interface=eth0", "--port=7443"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	if want := "note: environment vip_leaderelection: ownership is settled by heartbeats"; !strings.HasPrefix(stderr, want) {
		t.Errorf("it notes %q, want %q", stderr, want)
	}
}

func TestTagged(t *testing.T) {
	for image, want := range map[string]string{
		"":                             "ghcr.io/heraldlb/herald:devel",
		"registry.example:5000/herald": "registry.example:5000/herald:devel",
		"herald:v1":                    "herald:v1",
		"herald@sha256:00":             "herald@sha256:00",
	} {
		if got := tagged(image); got != want {
			t.Errorf("%q became %q, want %q", image, got, want)
		}
	}
}

// The programs take every flag that a manifest gives them.
func TestManifestFlagsExist(t *testing.T) {
	announcer := filepath.Join(t.TempDir(), announcerProgram)
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", announcer, "../herald-announcer").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	tried := make(map[string]bool)
	for _, command := range containerCommands(t) {
		line := strings.Join(command, " ")
		if tried[line] {
			continue
		}
		tried[line] = true
		// Help is given where all flags before it are known, and their values of their kind.
		args := append(slices.Clone(command[1:]), "--help")
		switch command[0] {
		case "/herald-announcer":
			if out, err := exec.CommandContext(t.Context(), announcer, args...).CombinedOutput(); err != nil {
				t.Errorf("%s: %s", line, out)
			}
		case "/herald":
			if _, _, err := herald(t, strings.Join(args, " ")); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		default:
			t.Errorf("%s: no program of the image", line)
		}
	}
	if len(tried) < len(manifests()) {
		t.Errorf("%d command lines were tried, want at least %d", len(tried), len(manifests()))
	}
}

// containerCommands are those of all containers and their probes.
func containerCommands(t *testing.T) [][]string {
	t.Helper()
	var all [][]string
	for _, name := range slices.Sorted(maps.Keys(manifests())) {
		stdout, _, err := herald(t, "manifest "+manifests()[name])
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range containers(t, stdout) {
			all = append(all, append(slices.Clone(c.Command), c.Args...))
			if c.LivenessProbe != nil && c.LivenessProbe.Exec != nil {
				all = append(all, c.LivenessProbe.Exec.Command)
			}
		}
	}
	return all
}

// containers are those of a Pod or a DaemonSet.
func containers(t *testing.T, text string) []corev1.Container {
	t.Helper()
	var object struct {
		Kind string
		Spec struct {
			corev1.PodSpec `json:",inline"`
			Template       corev1.PodTemplateSpec
		}
	}
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return append(object.Spec.Containers, object.Spec.Template.Spec.Containers...)
}

// Whoever reads strangers' packets reads no key, no token and no kubeconfig but a key
// that may do next to nothing; whoever reads those has no right on the wire. Ports of
// one host differ.
func TestManifestSeparation(t *testing.T) {
	for name, line := range manifests() {
		stdout, _, err := herald(t, "manifest "+line)
		if err != nil {
			t.Fatal(err)
		}
		ports := make(map[string]string)
		for _, c := range containers(t, stdout) {
			wire := len(c.SecurityContext.Capabilities.Add) > 0
			for _, m := range c.VolumeMounts {
				secret := strings.HasSuffix(m.MountPath, ".conf") || strings.HasSuffix(m.MountPath, ".yaml") || m.Name == "token" ||
					strings.HasSuffix(m.MountPath, ".key") && !strings.HasSuffix(m.MountPath, "/agent/client-kube-proxy.key")
				if wire && secret {
					t.Errorf("%s: %s may read %s", name, c.Name, m.MountPath)
				}
			}
			for _, arg := range c.Args {
				flag, value, _ := strings.Cut(arg, "=")
				if flag != "--metrics-address" && flag != "--health-address" {
					continue
				}
				port := value[strings.LastIndexByte(value, ':'):]
				if other := ports[port]; other != "" {
					t.Errorf("%s: port %s is of %s and of %s", name, port, other, c.Name)
				}
				ports[port] = fmt.Sprint(c.Name, " ", flag)
			}
		}
	}
}
