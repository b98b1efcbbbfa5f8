package main

import (
	"net"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// ownsNothing lets some time pass, and fails the test if a node owns anything meanwhile.
func (c *cluster) ownsNothing(name string, during time.Duration) {
	c.t.Helper()
	timeout := time.After(during)
	for {
		if owned := c.nodes[name].owned(); len(owned) > 0 {
			c.t.Fatalf("%s took %d addresses that others have", name, len(owned))
		}
		select {
		case <-c.changed:
		case <-timeout:
			return
		}
	}
}

// startKnowing starts a node whose agent knows that the addresses are the cluster's.
func (c *cluster) startKnowing(name string) {
	c.t.Helper()
	c.start(name)
	for _, a := range c.addresses {
		owned := candidacy(a)
		owned.Probe = false
		c.nodes[name].agent.Delete(a)
		if err := c.nodes[name].agent.Put(owned); err != nil {
			c.t.Fatal(err)
		}
	}
}

// Who cannot hear the others takes nothing, until it can.
func TestHeartbeatPortTaken(t *testing.T) {
	c := newCluster(t, 3, 20)
	c.start("node-1")
	c.start("node-2")
	before := c.owners("node-1", "node-2")
	var squatter *net.UDPConn
	c.nodes["node-3"].Do(t, func() (err error) {
		squatter, err = net.ListenUDP("udp", &net.UDPAddr{Port: 9645})
		return err
	})
	c.startKnowing("node-3")
	c.ownsNothing("node-3", 2*time.Second)
	if err := squatter.Close(); err != nil {
		t.Fatal(err)
	}
	c.await("node-3 to hear the others", func() bool {
		alive := map[string]bool{}
		for _, m := range c.nodes["node-3"].seen().Members {
			alive[m.Node] = m.State == announcer.Alive
		}
		return alive["node-1"] && alive["node-2"]
	})
	after := c.owners("node-1", "node-2", "node-3")
	if after["node-3"] != 0 || after["node-1"] != before["node-1"] {
		t.Errorf("before: %v, after: %v", before, after)
	}
}
