package scene

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The words of port mapping on a Service, and where the gateway is reached from outside:
// miniupnpd takes no address that is private or for documentation.
const (
	UPnP         = "heraldlb.io/upnp"
	UPnPExternal = "heraldlb.io/upnp-external"
	Outside      = "11.0.0.1"
)

// What the gateway is told. Anybody may map any port to anybody.
const gatewayConfig = `ext_ifname=%s
ext_ip=%s
listening_ip=%s
http_port=5000
enable_natpmp=no
enable_upnp=yes
secure_mode=no
system_uptime=no
notify_interval=60
uuid=6e9d1e3c-0000-4000-8000-000000000001
allow 1-65535 0.0.0.0/0 1-65535
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=forward_upnp
upnp_nat_chain=prerouting_upnp
upnp_nat_postrouting_chain=postrouting_upnp
`

// The chains that it fills.
const gatewayTable = `table inet miniupnpd {
	chain forward { type filter hook forward priority 0; jump forward_upnp; }
	chain prerouting { type nat hook prerouting priority -100; jump prerouting_upnp; }
	chain postrouting { type nat hook postrouting priority 100; jump postrouting_upnp; }
	chain forward_upnp {}
	chain prerouting_upnp {}
	chain postrouting_upnp {}
}
`

// Gateway is the router as a home gateway: miniupnpd with an external address.
type Gateway struct {
	stage  *Stage
	folder string
	cmd    *exec.Cmd
	// boots is how often it was started: its number is a time in seconds else, and so the
	// same for one that restarts at once.
	boots int64
}

// Gateway makes the router one until the case ends, with more lines of configuration.
func (st *Stage) Gateway(ctx context.Context, lines ...string) *Gateway {
	GinkgoHelper()
	g := &Gateway{stage: st, folder: GinkgoT().TempDir()}
	outside := netip.PrefixFrom(netip.MustParseAddr(Outside), 32).String()
	g.router(ctx, "ip", "address", "add", outside, "dev", st.Uplink)
	DeferCleanup(g.router, "ip", "address", "delete", outside, "dev", st.Uplink)
	config := fmt.Sprintf(gatewayConfig, st.Uplink, Outside, st.Interface) + strings.Join(lines, "\n") + "\n"
	Expect(os.WriteFile(filepath.Join(g.folder, "conf"), []byte(config), 0o644)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(g.folder, "nft"), []byte(gatewayTable), 0o644)).To(Succeed())
	DeferCleanup(g.Crash)
	g.Start(ctx)
	return g
}

// Start starts it, with nothing in its table.
func (g *Gateway) Start(ctx context.Context) {
	GinkgoHelper()
	g.router(ctx, "nft", "-f", filepath.Join(g.folder, "nft"))
	Expect(os.RemoveAll(g.pid())).To(Succeed()) // one that crashed is taken to run still
	g.boots++
	boot := strconv.FormatInt(time.Now().Unix()+g.boots, 10)
	g.cmd = g.stage.Hosts.Command(context.WithoutCancel(ctx), g.stage.Router, "miniupnpd", "-d", "-b", boot,
		"-f", filepath.Join(g.folder, "conf"), "-P", g.pid())
	g.cmd.Stdout, g.cmd.Stderr = GinkgoWriter, GinkgoWriter
	Expect(g.cmd.Start()).To(Succeed())
}

func (g *Gateway) pid() string { return filepath.Join(g.folder, "pid") }

// Leave ends it in order: it says farewell. Its table is lost.
func (g *Gateway) Leave(ctx context.Context) {
	GinkgoHelper()
	id, err := os.ReadFile(g.pid())
	Expect(err).NotTo(HaveOccurred())
	g.router(ctx, "kill", "-TERM", strings.TrimSpace(string(id)))
	Expect(g.cmd.Wait()).To(Succeed())
	g.cmd = nil
	g.router(ctx, "nft", "delete", "table", "inet", "miniupnpd")
}

// Crash kills it, if it runs. Its table is lost.
func (g *Gateway) Crash(ctx context.Context) {
	GinkgoHelper()
	if g.cmd == nil {
		return
	}
	Expect(g.cmd.Process.Kill()).To(Succeed())
	Expect(g.cmd.Wait()).To(BeAssignableToTypeOf(&exec.ExitError{}))
	g.cmd = nil
	g.router(ctx, "nft", "delete", "table", "inet", "miniupnpd")
}

func (g *Gateway) router(ctx context.Context, args ...string) {
	GinkgoHelper()
	_, err := g.stage.run(ctx, g.stage.Router, args...)
	Expect(err).NotTo(HaveOccurred())
}

// Ask runs upnpc, a client that is not Herald's, on the client.
func (g *Gateway) Ask(ctx context.Context, args ...string) {
	GinkgoHelper()
	_, err := g.stage.run(ctx, g.stage.Client, append([]string{"upnpc"}, args...)...)
	Expect(err).NotTo(HaveOccurred())
}

// Table returns the gateway's mappings as upnpc lists them, such as
// "TCP    80->192.168.100.200:80", one a line.
func (g *Gateway) Table(ctx context.Context) (string, error) {
	output, err := g.stage.run(ctx, g.stage.Client, "upnpc", "-l")
	if err != nil {
		return "", err
	}
	var lines []string
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, "->") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n"), nil
}

// External returns where a Service's annotation says that it is reached from outside.
func (s *Scene) External(ctx context.Context, name string) (string, error) {
	service, err := s.Service(ctx, name)
	if err != nil {
		return "", err
	}
	return service.Annotations[UPnPExternal], nil
}

// Renumber gives the nodes addresses of a further prefix, until the case ends.
func (st *Stage) Renumber(ctx context.Context, prefix string, bits int) {
	GinkgoHelper()
	for i, node := range st.Nodes {
		address := fmt.Sprintf("%s%d/%d", prefix, i+1, bits)
		set := func(ctx context.Context, how string) {
			_, err := st.run(ctx, node, "ip", "address", how, address, "dev", st.Interface)
			Expect(err).NotTo(HaveOccurred())
		}
		set(ctx, "add")
		DeferCleanup(set, "delete")
	}
}
