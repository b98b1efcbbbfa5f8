package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"sync"

	"k8s.io/client-go/kubernetes"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

// Stage is what all cases share.
type Stage struct {
	ground.Ground
	API kubernetes.Interface
	// Probe is the path of the probe program, the same on every host.
	Probe string

	nodes map[string]string     // by link-layer address
	hops  map[netip.Addr]string // nodes, by their own addresses on the segment

	granting sync.Mutex
	granted  string // the token that reads the agents' metrics
}

// NewStage returns the stage on a ground.
func NewStage(ctx context.Context, site ground.Ground, api kubernetes.Interface, probe string) (*Stage, error) {
	st := &Stage{Ground: site, API: api, Probe: probe, nodes: map[string]string{}, hops: map[netip.Addr]string{}}
	for _, node := range st.Nodes {
		output, err := st.run(ctx, node, "ip", "-json", "link", "show", "dev", st.Interface)
		if err != nil {
			return nil, err
		}
		var links []struct {
			Address string `json:"address"`
		}
		if err := json.Unmarshal(output, &links); err != nil {
			return nil, fmt.Errorf("links of %s: %w", node, err)
		}
		for _, link := range links {
			st.nodes[link.Address] = node
		}
		addresses, err := st.addresses(ctx, node)
		if err != nil {
			return nil, err
		}
		for _, address := range addresses {
			st.hops[address.Addr()] = node
		}
	}
	return st, nil
}
