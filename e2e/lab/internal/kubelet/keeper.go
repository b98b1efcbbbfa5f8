package kubelet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
	"k8s.io/utils/ptr"
)

// workload is what a keeper keeps: Herald's program or a stand-in server.
type workload interface {
	// run starts the container, calls started with the id of its process (0
	// if it has none), and returns its exit code. It ends, as gently as it
	// can, when stop ends, and at once when ctx ends.
	run(ctx, stop context.Context, started func(pid int)) (exitCode int32, err error)
	// exec runs a command inside.
	exec(ctx context.Context, command []string) error
}

// keeper runs one container again and again, as the restart policy says, and
// keeps its status.
type keeper struct {
	pod     *corev1.Pod
	spec    *corev1.Container
	changed func()

	mu    sync.Mutex
	state corev1.ContainerStatus
}

func newKeeper(pod *corev1.Pod, spec *corev1.Container, changed func()) *keeper {
	return &keeper{pod: pod, spec: spec, changed: changed, state: corev1.ContainerStatus{
		Name:    spec.Name,
		Image:   spec.Image,
		Started: new(false),
		State:   corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
	}}
}

// run returns when the container has ended for good: term or ctx has ended, or
// the restart policy wants no more of it.
func (k *keeper) run(ctx, term context.Context, place *place) {
	var backoff backoff
	for {
		begin := time.Now()
		code, err := k.runOnce(ctx, term, place)
		k.ended(begin, code, err)
		if term.Err() != nil || !podutil.ContainerShouldRestart(*k.spec, k.pod.Spec, code) {
			return
		}
		if delay := backoff.next(time.Since(begin)); delay > 0 {
			k.wait("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting the container: it ended with exit code %d", delay, code))
			select {
			case <-time.After(delay):
			case <-term.Done():
				return
			}
		}
		k.update(func(s *corev1.ContainerStatus) { s.RestartCount++ })
	}
}

// runOnce runs the container once, with its probes.
func (k *keeper) runOnce(ctx, term context.Context, place *place) (int32, error) {
	workload, err := place.workload(k.spec)
	if err != nil {
		return 128, fmt.Errorf("container %s: %w", k.spec.Name, err)
	}
	ctx, kill := context.WithCancel(ctx)
	stop, end := context.WithCancel(ctx)
	sick, ail := context.WithCancel(term)
	var group sync.WaitGroup
	defer func() {
		end()
		kill()
		ail()
		group.Wait()
	}()
	group.Go(func() { k.conclude(ctx, term, sick, end, kill) })
	return workload.run(ctx, stop, func(pid int) {
		k.running(pid)
		prober := &prober{place: place, spec: k.spec, workload: workload}
		group.Go(func() { prober.run(ctx, sick, k.ready, ail) })
	})
}

// conclude waits for the Pod's deletion or a failed liveness probe; it ends
// the container gently, and kills it when its time is over.
func (k *keeper) conclude(ctx, term, sick context.Context, end, kill func()) {
	grace := time.Duration(ptr.Deref(k.pod.Spec.TerminationGracePeriodSeconds, 30)) * time.Second
	var preStop <-chan time.Time
	select {
	case <-ctx.Done():
		return
	case <-sick.Done(): // also when term is
	}
	if term.Err() == nil {
		end()
	} else {
		if reason, ok := errors.AsType[terminating](context.Cause(term)); ok {
			grace = reason.grace
		}
		if preStop = k.preStop(); preStop == nil {
			end()
		}
	}
	over := time.After(grace)
	for {
		select {
		case <-ctx.Done():
			return
		case <-preStop:
			end()
		case <-over:
			kill()
		}
	}
}

// preStop returns the end of the container's sleep hook (KEP-3960); nil if it
// has none.
func (k *keeper) preStop() <-chan time.Time {
	if k.spec.Lifecycle == nil || k.spec.Lifecycle.PreStop == nil || k.spec.Lifecycle.PreStop.Sleep == nil {
		return nil
	}
	return time.After(time.Duration(k.spec.Lifecycle.PreStop.Sleep.Seconds) * time.Second)
}

func (k *keeper) status() corev1.ContainerStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	return *k.state.DeepCopy()
}

func (k *keeper) update(change func(*corev1.ContainerStatus)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(&k.state)
	k.changed()
}

func (k *keeper) wait(reason, message string) {
	k.update(func(s *corev1.ContainerStatus) {
		s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	})
}

func (k *keeper) running(pid int) {
	k.update(func(s *corev1.ContainerStatus) {
		s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
		// The id by which a test finds the process to kill.
		s.ContainerID = fmt.Sprintf("lab://%d", pid)
		s.Started = new(true)
		s.Ready = k.spec.ReadinessProbe == nil
	})
}

func (k *keeper) ready(ready bool) {
	k.update(func(s *corev1.ContainerStatus) { s.Ready = ready })
}

func (k *keeper) ended(begin time.Time, code int32, err error) {
	terminated := &corev1.ContainerStateTerminated{
		ExitCode:   code,
		Reason:     "Completed",
		StartedAt:  metav1.NewTime(begin),
		FinishedAt: metav1.Now(),
	}
	if err != nil {
		terminated.Reason, terminated.Message = "Error", err.Error()
	}
	k.update(func(s *corev1.ContainerStatus) {
		s.State = corev1.ContainerState{Terminated: terminated}
		s.LastTerminationState = s.State
		s.Ready, s.Started = false, new(false)
	})
}
