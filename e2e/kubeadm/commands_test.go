package main

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

// What the walk does is what the documentation says.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/kubeadm.md")
	if err != nil {
		t.Fatal(err)
	}
	plain := func(text string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(text, "\\\n", "")), " ")
	}
	docs := plain(string(text))

	d := datacentre{subnet: netip.MustParsePrefix("192.168.0.0/24")}
	c := newCommands(&d, "$HERALD")
	elided := ticket{"...", "sha256:...", "..."}
	config, err := fill(initConfig, settings{Version: "v1.37.2", Endpoint: c.endpoint()})
	if err != nil {
		t.Fatal(err)
	}
	alone, joins, all := c.raft()
	drain, stop, sweep, reset := c.leave("cp-3")
	for _, line := range []string{
		importImage,
		mkManifests, c.first(""),
		config, kubeadmInit,
		c.joinControlPlane(elided), c.joinWorker(elided), spreadDNS,
		getNodes, getPods, getVIP,
		pools(d.address(poolFirst), d.address(poolLast)), expose, getService,
		alone, joins, all, strings.TrimPrefix(c.again(""), c.manifest("")), lease,
		drain, stop, sweep, reset,
	} {
		if !strings.Contains(docs, plain(line)) {
			t.Errorf("docs/kubeadm.md does not have %s", line)
		}
	}
}
