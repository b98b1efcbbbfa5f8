package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/heraldlb/herald/manifest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// asManager makes the test binary herald, with whatever arguments it is given.
const asManager = "HERALD_TEST_MANAGER"

// TestManagerProcess is no test but herald itself, where it is asked for.
func TestManagerProcess(*testing.T) {
	if os.Getenv(asManager) == "" {
		return
	}
	os.Args = append([]string{"herald"}, strings.Fields(os.Getenv(asManager))...)
	main()
	os.Exit(0)
}

// image is a container's root: herald, and programs that say what they were called with.
type image struct {
	t         *testing.T
	directory string
	// said is a file that programs write lines to.
	said string
}

// newImage makes one where herald and the announcer are scripts that tell their arguments
// and wait for SIGTERM; beside them is what runs herald manager.
func newImage(t *testing.T) *image {
	t.Helper()
	i := &image{t: t, directory: t.TempDir()}
	i.said = filepath.Join(i.directory, "said")
	copySelf(t, i.program("manager"))
	script := `#!/bin/sh
trap 'echo "end $0" >> ` + i.said + `; kill $!; exit 0' TERM
echo "$0 $*" >> ` + i.said + `
sleep 1000 &
wait
`
	for _, name := range []string{"herald", announcerProgram} {
		if err := os.WriteFile(i.program(name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// start runs herald manager with an environment.
func (i *image) start(env ...string) *exec.Cmd {
	i.t.Helper()
	cmd := exec.CommandContext(i.t.Context(), i.program("manager"), "-test.run=^TestManagerProcess$")
	cmd.Env = append(env, asManager+"=manager", "TMPDIR="+i.directory, "PATH="+os.Getenv("PATH"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // and with it all that it runs
	if err := cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	return cmd
}

// await waits for a line of a program. A file gives no event, so it polls.
func (i *image) await(prefix string) string {
	i.t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	var text []byte
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-ticker.C {
		text, _ = os.ReadFile(i.said)
		lines := strings.Split(string(text), "\n")
		if at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, prefix) }); at >= 0 {
			return lines[at]
		}
	}
	i.t.Fatalf("waited in vain for %q; it said\n%s", prefix, text)
	return ""
}

func (i *image) program(name string) string { return filepath.Join(i.directory, name) }

// adminConf writes a kubeconfig as kubeadm does, its certificate authority in it.
func (i *image) adminConf() string {
	i.t.Helper()
	path := i.program("admin.conf")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"kubernetes": {
			Server: "https://192.0.2.1:6443", CertificateAuthorityData: []byte("the CA"),
		}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "kubernetes"}},
		CurrentContext: "x",
	}, path)
	if err != nil {
		i.t.Fatal(err)
	}
	return path
}

// kubeVIPs is what a manifest of kube-vip 1.2 has in its environment.
func kubeVIPs(more ...string) []string {
	return append([]string{
		"vip_arp=true", "port=6443", "vip_nodename=cp-1", "vip_interface=eth0", "vip_subnet=32", "dns_mode=first",
		"cp_enable=true", "cp_namespace=kube-system", "vip_leaderelection=true", "vip_leasename=plndr-cp-lock",
		"vip_leaseduration=15", "vip_renewdeadline=10", "vip_retryperiod=2", "address=192.0.2.1", "prometheus_server=:2112",
	}, more...)
}

// One process that is asked for takes the place of herald.
func TestManagerBecomesTheAnnouncer(t *testing.T) {
	i := newImage(t)
	cmd := i.start(kubeVIPs("k8s_config_file=" + i.adminConf())...)
	line := i.await(i.program(announcerProgram))
	_, ca, found := strings.Cut(line, "--health-ca=")
	ca, _, _ = strings.Cut(ca, " ")
	want := i.program(announcerProgram) + " --controlplane --vip=192.0.2.1 --interface=eth0 --port=6443 --elector=heartbeat --health-ca=" + ca + " --node-name=cp-1"
	if line != want || !found {
		t.Errorf("it ran %q, want %q", line, want)
	}
	if text, err := os.ReadFile(ca); err != nil || string(text) != "the CA" {
		t.Errorf("the certificate authority is %q, %v", text, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	i.await("end " + i.program(announcerProgram))
}

// Several run side by side; the end of one is the end of all.
func TestManagerRunsSeveral(t *testing.T) {
	i := newImage(t)
	cmd := i.start(kubeVIPs("herald_elector=lease", "k8s_config_file="+i.adminConf())...)
	if line := i.await(i.program(announcerProgram)); !strings.Contains(line, " --elector=lease ") {
		t.Errorf("it ran %q", line)
	}
	if line := i.await(i.program("herald ")); !strings.HasPrefix(line, i.program("herald")+" controlplane --elector=lease ") {
		t.Errorf("it ran %q", line)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	i.await("end " + i.program(announcerProgram))
	i.await("end " + i.program("herald"))
}

// Services are kube-vip's: its pools, its class.
func TestManagerServes(t *testing.T) {
	i := newImage(t)
	i.start("vip_arp=true", "svc_enable=true", "vip_nodename=cp-1", "k8s_config_file="+i.adminConf())
	const pools = " --config-map=kube-system/kubevip --class=heraldlb.io/herald,kube-vip.io/kube-vip-class --kubeconfig="
	i.await(i.program("herald") + " agent" + pools)
	i.await(i.program("herald") + " controller" + pools)
	i.await(i.program(announcerProgram) + " --node-name=cp-1")
}

// In a DaemonSet of kube-vip's it is the ServiceAccount that everything goes by, the look
// at the API server's health too.
func TestManagerInCluster(t *testing.T) {
	account := t.TempDir()
	ca := filepath.Join(account, "ca.crt")
	if err := os.WriteFile(ca, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := manifest.Options{Image: "herald", ControlPlane: true, Kubeconfig: filepath.Join(account, "none"), VIP: manifest.VIP{Addresses: []string{"192.0.2.1"}}}
	got, err := credentials(&o, account)
	if err != nil || got != ca || o.Kubeconfig != "" {
		t.Errorf("certificate authority %q, kubeconfig %q, %v", got, o.Kubeconfig, err)
	}
	if err := o.Complete(); err != nil {
		t.Fatal(err)
	}
	if args := o.Roles()[0].Args; !slices.Contains(args, "--health-token="+filepath.Join(account, "token")) {
		t.Errorf("the announcer's arguments are %q", args)
	}
}

// By BGP, what speaks it has kube-vip's own environment.
func TestManagerByBGP(t *testing.T) {
	i := newImage(t)
	i.start(kubeVIPs("vip_arp=false", "bgp_enable=true", "bgp_peers=192.0.2.254:65001", "vip_interface=lo", "k8s_config_file="+i.adminConf())...)
	if line := i.await(i.program(announcerProgram)); !strings.Contains(line, " --elector=bgp ") || strings.Contains(line, "--interface") {
		t.Errorf("it ran %q", line)
	}
	if line := i.await(i.program("herald ")); !strings.HasPrefix(line, i.program("herald")+" controlplane --elector=bgp --port=6443 ") {
		t.Errorf("it ran %q", line)
	}
}

func TestManagerErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		env  []string
		want string
	}{
		"nothing":    {nil, "neither a kubeconfig nor a ServiceAccount"},
		"no VIP":     {[]string{"cp_enable=true", "k8s_config_file=" + newImage(t).adminConf()}, "--controlplane needs --vip or --address"},
		"no router":  {kubeVIPs("bgp_enable=true"), "--bgp: environment bgp_peers: no peer"},
		"no context": {kubeVIPs("k8s_config_file=" + os.DevNull), "its current context is of no cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, one := range tt.env {
				variable, value, _ := strings.Cut(one, "=")
				t.Setenv(variable, value)
			}
			t.Setenv("TMPDIR", t.TempDir())
			if _, _, err := herald(t, "manager"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}
