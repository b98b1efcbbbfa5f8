package kubelet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"

	"github.com/heraldlb/herald/e2e/lab/internal/container"
)

// process is a container of an image that there are programs for: a real process.
type process struct {
	place *place
	spec  *corev1.Container
	image image
	file  string // of the runtime's spec
	log   string
	pid   int
}

func newProcess(place *place, spec *corev1.Container, image image) (*process, error) {
	directory := filepath.Join(place.directory, "containers", spec.Name)
	p := &process{
		place: place,
		spec:  spec,
		image: image,
		file:  filepath.Join(directory, "spec.json"),
		log:   place.kubelet.logFile(place.pod.Name, spec.Name),
	}
	root := filepath.Join(directory, "root")
	if err := errors.Join(os.MkdirAll(root, 0o755), os.MkdirAll(filepath.Dir(p.log), 0o755)); err != nil {
		return nil, err
	}
	specification, err := p.specification(root)
	if err != nil {
		return nil, err
	}
	return p, specification.Write(p.file)
}

func (p *process) specification(root string) (container.Spec, error) {
	environment, err := p.place.environment(p.spec)
	if err != nil {
		return container.Spec{}, err
	}
	credentials, err := credentials(&p.place.pod.Spec, p.spec)
	if err != nil {
		return container.Spec{}, err
	}
	mounts, err := p.mounts()
	if err != nil {
		return container.Spec{}, err
	}
	spec := container.Spec{
		Root:        root,
		Mounts:      mounts,
		Args:        []string{p.image.entrypoint},
		Dir:         "/",
		Credentials: credentials,
	}
	if context := p.spec.SecurityContext; context != nil && context.ReadOnlyRootFilesystem != nil {
		spec.ReadOnlyRoot = *context.ReadOnlyRootFilesystem
	}
	if len(p.spec.Command) > 0 {
		spec.Args = p.spec.Command
	}
	if p.spec.WorkingDir != "" {
		spec.Dir = p.spec.WorkingDir
	}
	expand := expansion.MappingFuncFor(environment)
	spec.Args = slices.Concat(spec.Args, p.spec.Args)
	for i, arg := range spec.Args {
		spec.Args[i] = expansion.Expand(arg, expand)
	}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		spec.Env = append(spec.Env, name+"="+environment[name])
	}
	return spec, nil
}

func (p *process) mounts() ([]container.Mount, error) {
	mounts := slices.Clone(p.image.programs)
	for _, mount := range p.spec.VolumeMounts {
		source, ok := p.place.volumes[mount.Name]
		if !ok {
			return nil, fmt.Errorf("mount %s: no volume %s", mount.MountPath, mount.Name)
		}
		mounts = append(mounts, container.Mount{
			Source: filepath.Join(source, mount.SubPath), Target: mount.MountPath, ReadOnly: mount.ReadOnly,
		})
	}
	return mounts, nil
}

// run keeps the thread that starts the process for as long as it lives: the
// process is killed when its thread ends, so none outlives the kubelet.
func (p *process) run(ctx, stop context.Context, started func(pid int)) (int32, error) {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close() //nolint:errcheck // the process writes
	cmd := container.Command(p.file)
	cmd.Stdout, cmd.Stderr = log, log
	err = p.place.Do(func() error {
		if err := cmd.Start(); err != nil {
			return err
		}
		p.pid = cmd.Process.Pid
		gentle := context.AfterFunc(stop, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
		defer gentle()
		hard := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
		defer hard()
		started(p.pid)
		return cmd.Wait()
	})
	return exitCode(err), err
}

// exitCode is the process's own, or 128 and the signal's number.
func exitCode(err error) int32 {
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 128 // it did not start
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int32(status.Signal())
	}
	return int32(exit.ExitCode())
}

func (p *process) exec(ctx context.Context, command []string) error {
	cmd := container.ExecCommand(ctx, p.file, p.pid, command...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := p.place.Do(func() error {
		if err := cmd.Start(); err != nil {
			return err
		}
		return cmd.Wait()
	})
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, output.String())
	}
	return nil
}
