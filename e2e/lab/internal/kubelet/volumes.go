package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// makeVolumes makes the directories of the Pod's volumes, with their content.
func (p *place) makeVolumes(ctx context.Context) error {
	p.volumes = map[string]string{}
	refreshing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	p.refresh = func() {
		stop()
		group.Wait()
	}
	for _, volume := range p.pod.Spec.Volumes {
		directory := filepath.Join(p.directory, "volumes", volume.Name)
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
		p.volumes[volume.Name] = directory
		switch {
		case volume.EmptyDir != nil:
			if err := p.emptyDir(directory); err != nil {
				return fmt.Errorf("volume %s: %w", volume.Name, err)
			}
		case volume.Projected != nil:
			source := &projection{place: p, directory: directory, spec: volume.Projected}
			if err := source.write(ctx); err != nil {
				return fmt.Errorf("volume %s: %w", volume.Name, err)
			}
			group.Go(func() { source.refresh(refreshing) })
		case volume.Secret != nil:
			source := &secret{place: p, directory: directory, source: volume.Secret}
			if err := source.write(ctx); err != nil {
				return fmt.Errorf("volume %s: %w", volume.Name, err)
			}
			group.Go(func() { source.follow(refreshing) })
		case volume.ConfigMap != nil:
			source := &projection{place: p, directory: directory}
			if err := source.configMap(ctx, &corev1.ConfigMapProjection{
				LocalObjectReference: volume.ConfigMap.LocalObjectReference,
				Items:                volume.ConfigMap.Items,
				Optional:             volume.ConfigMap.Optional,
			}); err != nil {
				return fmt.Errorf("volume %s: %w", volume.Name, err)
			}
		default:
			return fmt.Errorf("volume %s: only configMap, emptyDir, projected and secret volumes: %w", volume.Name, errors.ErrUnsupported)
		}
	}
	return nil
}

// emptyDir opens the directory to the Pod's containers as a kubelet does.
func (p *place) emptyDir(directory string) error {
	if err := os.Chmod(directory, 0o777); err != nil {
		return err
	}
	group := p.fsGroup()
	if group == nil || !separateUsers() {
		return nil
	}
	if err := os.Chown(directory, -1, int(*group)); err != nil {
		return err
	}
	// New files are the group's, too.
	return os.Chmod(directory, os.ModeSetgid|0o777)
}

func (p *place) fsGroup() *int64 {
	if p.pod.Spec.SecurityContext == nil {
		return nil
	}
	return p.pod.Spec.SecurityContext.FSGroup
}
