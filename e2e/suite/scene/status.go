package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"
)

// Status is what herald status -o json prints, as its readers know it.
type Status struct {
	Pools []struct {
		Scope  string `json:"scope"`
		Family string `json:"family"`
		Size   string `json:"size"`
		Used   int    `json:"used"`
	} `json:"pools"`
	Services []struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Addresses []struct {
			Address    netip.Addr `json:"address"`
			Owner      string     `json:"owner"`
			Interfaces []string   `json:"interfaces"`
			Since      time.Time  `json:"since"`
			Problem    string     `json:"problem"`
		} `json:"addresses"`
		Waiting string `json:"waiting"`
	} `json:"services"`
	Nodes []struct {
		Name  string `json:"name"`
		Owns  int    `json:"owns"`
		View  *View  `json:"view"`
		BGP   *BGP   `json:"bgp"`
		Error string `json:"error"`
	} `json:"nodes"`
	Complaints []string `json:"complaints"`
}

// BGP is how a node's sessions with routers stand.
type BGP struct {
	Sessions []struct {
		Peer       string     `json:"peer"`
		Address    netip.Addr `json:"address"`
		ASN        uint32     `json:"asn"`
		State      string     `json:"state"`
		Reason     string     `json:"reason"`
		Advertised int        `json:"advertised"`
	} `json:"sessions"`
	Complaints []string `json:"complaints"`
}

// View is the membership as a node's announcer sees it.
type View struct {
	Node       string   `json:"node"`
	Scheduling string   `json:"scheduling"`
	Keyed      bool     `json:"keyed"`
	Isolated   bool     `json:"isolated"`
	Complaints []string `json:"complaints"`
	Members    []struct {
		Node      string `json:"node"`
		Interface string `json:"interface"`
		State     string `json:"state"`
		Claims    int    `json:"claims"`
		Standing  bool   `json:"standing"`
	} `json:"members"`
}

// Status runs herald status.
func (st *Stage) Status(ctx context.Context) (Status, error) {
	cmd, err := st.Herald(ctx, "status", "-o", "json")
	if err != nil {
		return Status{}, err
	}
	output, err := cmd.Output()
	if err != nil {
		return Status{}, err
	}
	var status Status
	if err := json.Unmarshal(output, &status); err != nil {
		return Status{}, fmt.Errorf("herald status: %w: %s", err, output)
	}
	return status, nil
}
