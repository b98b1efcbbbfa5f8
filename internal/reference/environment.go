package main

import (
	"strings"

	"github.com/heraldlb/herald/manifest/settings"
)

const bgpReaders = "`agent`, `controlplane --elector bgp`"

// environment are the variables that programs read themselves; a test finds those that
// are missing.
func environment() string {
	rows := [][]string{
		{"variable", "read by", "what it is"},
		{"`NODE_NAME`", "`agent`, `announcer`, `controlplane`", "name of the Node, without `--node-name`"},
		{"`POD_NAMESPACE`", "`controller`", "namespace of the Lease, without `--namespace`"},
		{"`KUBECONFIG`", "`controller`, `agent`, `status`, `rebalance`", "kubeconfig, without `--kubeconfig`"},
		{"`GOGC`, `GOMEMLIMIT`, `GOMAXPROCS`", "`announcer`", "Go's own; unless set, the announcer chooses what suits a small heap"},
		{"`bgp_enable`", bgpReaders, "`true`: kube-vip's variables below say which routers there are; the agent heeds them where there is no `bgp.yaml`"},
	}
	for _, s := range settings.BGP() {
		if s.Env != "" && s.Outcome == settings.Same {
			rows = append(rows, []string{code(s.Env), bgpReaders, strings.TrimPrefix(s.Text, "with --bgp: ")})
		}
	}
	return table(rows)
}
