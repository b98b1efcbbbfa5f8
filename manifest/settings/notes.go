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

func of(name string, names ...string) bool {
	return slices.Contains(names, name)
}
