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
	s.table.put(started)
	go func() {
		<-started.Done()
		s.abort(started.Err())
	}()
	return nil
}

// restart starts a component again that has ended.
func (s *Supervisor) restart(host, component string) error {
	ended, ok := s.table.get(host, component)
	switch {
	case !ok:
		return fmt.Errorf("no process %s on host %s", component, host)
	case ended.Err() == nil:
		return fmt.Errorf("%s on %s runs", component, host)
	}
	started, err := process.Start(ended.Spec)
	if err != nil {
		return err
	}
	s.table.put(started)
	return nil
}

// startKube starts a program of Kubernetes under its own name.
func (s *Supervisor) startKube(component, host string, args ...string) error {
	return s.start(component, host, append([]string{s.program("kube"), component}, args...)...)
}

// put remembers a process, in the place of its predecessor.
func (t *processTable) put(p *process.Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := t.find(p.Spec.Host, p.Spec.Component); i >= 0 {
		t.processes[i] = p
		return
	}
	t.processes = append(t.processes, p)
}

func (t *processTable) get(host, component string) (*process.Process, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.find(host, component)
	if i < 0 {
		return nil, false
	}
	return t.processes[i], true
}

func (t *processTable) find(host, component string) int {
	return slices.IndexFunc(t.processes, func(p *process.Process) bool {
		return p.Spec.Host == host && p.Spec.Component == component
	})
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
