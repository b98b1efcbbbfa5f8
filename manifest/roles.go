package manifest

import (
	"slices"
	"strings"
)

// Role is a process of Herald's.
type Role struct {
	Name    string
	Program string // in the image
	Args    []string

	// Wire says that it announces, and needs the rights on the network that this takes.
	Wire bool
	// Files are those of the host that it reads.
	Files []string
	// Directory is one of the host that it writes to, if any.
	Directory string
	// Probe are the arguments that make the program ask a running one for its health;
	// or Health is the address that it serves it on.
	Probe  []string
	Health string
	// Env is further environment.
	Env []Variable
	// Token says that it talks to the API, with the Pod's ServiceAccount if there is no
	// kubeconfig.
	Token bool
}

// Programs of the image.
const (
	programHerald    = "/herald"
	programAnnouncer = "/herald-announcer"
)

// Roles returns the processes that o asks for. Each ends when it is told to, and
// needs none of the others to be there first.
func (o *Options) Roles() []Role {
	var roles []Role
	if o.ControlPlane {
		roles = append(roles, Role{
			Name: "announcer", Program: programAnnouncer, Args: o.vipAnnouncer(), Wire: true,
			Files: o.healthFiles(),
			Probe: []string{"--controlplane", "--probe"},
		})
	}
	if o.external() {
		roles = append(roles, Role{
			Name: "controlplane", Program: programHerald, Args: append([]string{"controlplane"}, o.elector()...),
			Files:     append(o.healthFiles(), o.electorFiles()...),
			Directory: o.raftDirectory(),
			Env:       o.electorEnv(),
			Token:     o.VIP.Elector == ElectorLease || o.backendsFromAPI(),
		})
	}
	if o.Services {
		roles = append(roles, o.serviceRoles()...)
	}
	return roles
}

func (o *Options) serviceRoles() []Role {
	name := "announcer"
	if o.ControlPlane {
		name = "services"
	}
	return []Role{
		{Name: name, Program: programAnnouncer, Args: o.serviceAnnouncer(), Wire: true, Probe: []string{"--probe"}},
		{
			Name: "agent", Program: programHerald, Args: append([]string{"agent"}, o.agent()...),
			Files: o.agentFiles(), Token: true, Health: or(o.Service.Health, agentHealth),
			Env: o.BGP,
		},
		{
			Name: "controller", Program: programHerald, Args: append([]string{"controller"}, o.controller()...),
			Files: present(o.Kubeconfig), Token: true, Health: controllerHealth,
		},
	}
}

func (o *Options) agentFiles() []string {
	files := present(o.Kubeconfig)
	if o.agentTells() {
		files = append(files, o.healthFiles()...)
	}
	return files
}

func (o *Options) electorEnv() []Variable {
	if o.VIP.Elector != ElectorBGP {
		return nil
	}
	return o.BGP
}

// healthFiles are those that looking at the API server takes.
func (o *Options) healthFiles() []string {
	h := o.VIP.Health
	return present(h.CA, h.Certificate, h.Key)
}

func (o *Options) raftDirectory() string {
	if o.VIP.Elector != ElectorRaft {
		return ""
	}
	return o.Raft.Directory
}

// electorFiles are those that an elector takes.
func (o *Options) electorFiles() []string {
	files := present(o.electorKubeconfig())
	if o.VIP.Elector == ElectorRaft {
		files = append(files, present(o.Raft.CA, o.Raft.Certificate, o.Raft.Key)...)
	}
	return files
}

// secret says whether the role reads or writes what only root may: all files of the
// host but certificates.
func (r Role) secret() bool {
	certificate := func(file string) bool { return strings.HasSuffix(file, ".crt") }
	return r.Directory != "" || slices.ContainsFunc(r.Files, func(file string) bool { return !certificate(file) })
}

// present returns the texts that are not empty.
func present(texts ...string) []string {
	var all []string
	for _, text := range texts {
		if text != "" {
			all = append(all, text)
		}
	}
	return all
}
