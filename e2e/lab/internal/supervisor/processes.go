package supervisor

import (
	"fmt"
	"slices"
	"sync"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
	"github.com/heraldlb/herald/e2e/lab/internal/process"
)

// processTable remembers what was started.
type processTable struct {
	mu        sync.Mutex
	processes []*process.Process
}

// start starts a component on a host. Until the lab is up, its end ends
// the lab; later it is only remembered, for tests end components on purpose.
func (s *Supervisor) start(component, host string, args ...string) error {
	started, err := process.Start(process.Spec{
		Component: component,
		Host:      host,
		Namespace: s.namespaces[host],
		Args:      args,
		Log:       logFile(host, component),
	})
	if err != nil {
		return err
	}
	s.table.add(started)
	go func() {
		<-started.Done()
		s.abort(started.Err())
	}()
	return nil
}

// startKube starts a program of Kubernetes under its own name.
func (s *Supervisor) startKube(component, host string, args ...string) error {
	return s.start(component, host, append([]string{s.program("kube"), component}, args...)...)
}

func (t *processTable) add(p *process.Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.processes = append(t.processes, p)
}

func (t *processTable) list() []*process.Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.processes)
}

func (t *processTable) status() []control.Process {
	var list []control.Process
	for _, p := range t.list() {
		entry := control.Process{Component: p.Spec.Component, Host: p.Spec.Host, PID: p.PID()}
		if err := p.Err(); err != nil {
			entry.Exit = fmt.Sprint(err)
		}
		list = append(list, entry)
	}
	return list
}
