package main

import (
	"testing"
	"time"
)

// Of two nodes of one name the second takes nothing that the first has.
func TestTwoNodesOfOneName(t *testing.T) {
	c := newCluster(t, 3, 20)
	c.nodes["node-3"].name = "node-1"
	c.start("node-1")
	c.start("node-2")
	before := c.owners("node-1", "node-2")
	if before["node-1"] == 0 {
		t.Fatalf("%v", before)
	}
	c.startKnowing("node-3")
	c.await("complaints", func() bool {
		return len(c.nodes["node-1"].seen().Complaints) > 0 && len(c.nodes["node-3"].seen().Complaints) > 0
	})
	c.ownsNothing("node-3", 2*time.Second)
}
