package kubelet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	probes "k8s.io/kubernetes/pkg/probe"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"
)

// eager is the interval of a readiness probe that has not succeeded yet: one of
// 10 s would otherwise make every rollout wait for 10 s.
const eager = 200 * time.Millisecond

var errUnsupportedProbe = errors.New("only httpGet, tcpSocket and exec probes are supported")

// prober asks one container.
type prober struct {
	place    *place
	spec     *corev1.Container
	workload workload
}

// run probes the container until ctx ends. Its readiness goes to ready;
// unhealthy is called when its liveness probe fails, until term ends: a Pod
// that is deleted ends anyway.
func (p *prober) run(ctx, term context.Context, ready func(bool), unhealthy func()) {
	var group sync.WaitGroup
	defer group.Wait()
	if probe := p.spec.LivenessProbe; probe != nil {
		group.Go(func() {
			p.watch(term, probe, true, func(alive bool) {
				if !alive {
					unhealthy()
				}
			})
		})
	}
	if probe := p.spec.ReadinessProbe; probe != nil {
		group.Go(func() { p.watch(ctx, probe, false, ready) })
	}
}

// watch probes until ctx ends, and reports each change of the verdict, which
// takes as many equal results in a row as the probe's thresholds say.
func (p *prober) watch(ctx context.Context, probe *corev1.Probe, verdict bool, report func(bool)) {
	timer := time.NewTimer(time.Duration(probe.InitialDelaySeconds) * time.Second)
	defer timer.Stop()
	var succeeded, failed int32
	first := !verdict
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if p.once(ctx, probe) == nil {
			succeeded, failed, first = succeeded+1, 0, false
		} else {
			succeeded, failed = 0, failed+1
		}
		change := verdict && failed >= probe.FailureThreshold || !verdict && succeeded >= probe.SuccessThreshold
		if change && ctx.Err() == nil {
			verdict = !verdict
			report(verdict)
		}
		interval := time.Duration(probe.PeriodSeconds) * time.Second
		if first {
			interval = eager
		}
		timer.Reset(interval)
	}
}

// once is one probe; nil is success.
func (p *prober) once(ctx context.Context, probe *corev1.Probe) error {
	timeout := time.Duration(probe.TimeoutSeconds) * time.Second
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch {
	case probe.Exec != nil:
		return p.workload.exec(ctx, probe.Exec.Command)
	case probe.HTTPGet != nil:
		return p.get(ctx, probe.HTTPGet, timeout)
	case probe.TCPSocket != nil:
		return p.connect(ctx, probe.TCPSocket)
	default:
		return errUnsupportedProbe
	}
}

func (p *prober) get(ctx context.Context, action *corev1.HTTPGetAction, timeout time.Duration) error {
	request, err := httpprobe.NewRequestForHTTPGetAction(action, p.spec, p.place.addresses[0].String(), "probe")
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	result, detail, err := httpprobe.DoHTTPProbe(request.WithContext(ctx), client)
	if err == nil && result != probes.Success && result != probes.Warning {
		err = fmt.Errorf("%s: %s", result, detail)
	}
	return err
}

func (p *prober) connect(ctx context.Context, action *corev1.TCPSocketAction) error {
	port := action.Port.IntValue()
	for _, named := range p.spec.Ports {
		if named.Name == action.Port.StrVal && named.Name != "" {
			port = int(named.ContainerPort)
		}
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(p.place.addresses[0].String(), strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return conn.Close()
}
