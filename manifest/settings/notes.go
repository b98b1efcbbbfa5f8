package settings

import (
	"slices"
	"strings"

	"github.com/heraldlb/herald/manifest"
)

// notes returns a line for each setting that somebody wished and that does not do here
// what it does with kube-vip.
func (v Values) notes(elector string) []string {
	var lines []string
	note := func(one value, text string) { lines = append(lines, one.String()+": "+text) }
	for _, s := range All() {
		one := v.all[s.Name()]
		if !one.given() || one.text == s.Default {
			continue
		}
		switch {
		case s.Flag == "vipSubnet" && of(strings.TrimPrefix(one.text, "/"), "32", "128", "32,128"):
		case s.Flag == "leaderElection" && elector == manifest.ElectorLease:
		case s.Flag == "prometheusHTTPServer" && !v.on("services"):
			note(one, "the control plane's part serves no metrics")
		case s.Flag == "arp" && v.on("bgp"):
			note(one, "with --bgp it is by BGP; of Services' pools, announce-NAMESPACE in the ConfigMap says otherwise")
		case elector == manifest.ElectorBGP && s.Flag == "interface" && one.text != "lo":
			note(one, "by BGP, the VIP goes on lo")
		case elector == manifest.ElectorBGP && s.Flag == "enableLoadBalancer":
			note(one, "by BGP, routers share the connections out")
		case elector == manifest.ElectorBGP && s.Flag == "leaderElection":
			note(one, "by BGP, every node whose API server is ready has the VIP")
		case !v.on("bgp") && isBGP(s):
			note(one, "goes with --bgp")
		case s.Outcome == Differs, s.Outcome == Tuning:
			note(one, s.Text)
		case of(s.Flag, "leaseName", "leaseDuration", "leaseRenewDuration", "leaseRetry") && elector != manifest.ElectorLease:
			note(one, s.Text)
		case strings.HasPrefix(s.Flag, "raft-") && elector != manifest.ElectorRaft:
			note(one, s.Text)
		case of(s.Flag, "lbPort", "lb-backend", "lb-source") && !v.on("enableLoadBalancer"):
			note(one, "goes with --enableLoadBalancer")
		case of(s.Flag, "lbClassOnly", "lbClassName", "healthCheckPort") && !v.on("services"):
			note(one, "goes with --services")
		}
	}
	return lines
}

func isBGP(s Setting) bool {
	return slices.ContainsFunc(BGP(), func(other Setting) bool { return other.Name() == s.Name() })
}

func of(name string, names ...string) bool {
	return slices.Contains(names, name)
}
