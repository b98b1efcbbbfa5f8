// Package container runs a program as a container runtime would: on a root
// file system of its own, with the capabilities and the user that its Pod
// asks for, and no more.
//
// The kubelet starts this program anew (Command) in new mount and PID
// namespaces; that process becomes the container's (Main).
package container

import (
	"encoding/json"
	"fmt"
	"os"
)

// Spec is one container.
type Spec struct {
	// Root is an empty directory that becomes the container's root.
	Root string `json:"root"`
	// Mounts are files and directories that appear inside.
	Mounts       []Mount `json:"mounts"`
	ReadOnlyRoot bool    `json:"readOnlyRoot"`

	Args []string `json:"args"`
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`

	Credentials Credentials `json:"credentials"`
}

// Mount is a file or directory of the host that appears in the container.
type Mount struct {
	Source   string `json:"source"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"readOnly"`
}

// Credentials are what a container's processes may do.
type Credentials struct {
	User   int   `json:"user"`
	Group  int   `json:"group"`
	Groups []int `json:"groups"` // supplementary
	// Capabilities are the bounding set, by name without CAP_. They take
	// effect for root alone, as in any container.
	Capabilities    []string `json:"capabilities"`
	NoNewPrivileges bool     `json:"noNewPrivileges"`
}

// Write stores the spec where the container's processes find it.
func (s Spec) Write(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func read(path string) (Spec, error) {
	var spec Spec
	text, err := os.ReadFile(path)
	if err != nil {
		return spec, err
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return spec, fmt.Errorf("%s: %w", path, err)
	}
	return spec, nil
}
