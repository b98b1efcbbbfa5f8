package kubelet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// secret is a volume with the keys of a Secret as files. They change with the
// Secret, all at once, behind the link ..data as a kubelet has it.
type secret struct {
	place     *place
	directory string
	source    *corev1.SecretVolumeSource
	// generation names the directory that ..data leads to.
	generation int
}

const dataLink = "..data"

// write puts in place what the Secret holds now. One that is optional may be absent.
func (v *secret) write(ctx context.Context) error {
	secrets := v.place.kubelet.client.CoreV1().Secrets(v.place.pod.Namespace)
	list, err := secrets.List(ctx, metav1.ListOptions{FieldSelector: v.selector()})
	if err != nil {
		return fmt.Errorf("secret %s: %w", v.source.SecretName, err)
	}
	if len(list.Items) == 0 {
		if ptr.Deref(v.source.Optional, false) {
			return v.put(nil)
		}
		return fmt.Errorf("secret %s does not exist", v.source.SecretName)
	}
	return v.put(list.Items[0].Data)
}

func (v *secret) selector() string {
	return fields.OneTermEqualSelector(metav1.ObjectNameField, v.source.SecretName).String()
}

// follow puts in place every change of the Secret until ctx ends.
func (v *secret) follow(ctx context.Context) {
	put := func(object any) {
		var data map[string][]byte // none if it was deleted
		if held, ok := object.(*corev1.Secret); ok {
			data = held.Data
		}
		if err := v.put(data); err != nil && ctx.Err() == nil {
			v.place.kubelet.log.Warn("refresh secret", "pod", v.place.pod.Name, "secret", v.source.SecretName, "error", err)
		}
	}
	watch := cache.NewListWatchFromClient(v.place.kubelet.client.CoreV1().RESTClient(), "secrets", v.place.pod.Namespace,
		fields.OneTermEqualSelector(metav1.ObjectNameField, v.source.SecretName))
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: watch,
		ObjectType:    new(corev1.Secret),
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    put,
			UpdateFunc: func(_, object any) { put(object) },
			DeleteFunc: func(any) { put(nil) },
		},
	})
	informer.RunWithContext(ctx)
}

// put makes the files those of data.
func (v *secret) put(data map[string][]byte) error {
	if len(v.source.Items) > 0 {
		return fmt.Errorf("items of secret %s: %w", v.source.SecretName, errors.ErrUnsupported)
	}
	v.generation++
	next := ".." + strconv.Itoa(v.generation)
	if err := os.Mkdir(filepath.Join(v.directory, next), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(ptr.Deref(v.source.DefaultMode, corev1.SecretVolumeSourceDefaultMode))
	for name, content := range data {
		if err := os.WriteFile(filepath.Join(v.directory, next, name), content, mode); err != nil {
			return err
		}
	}
	last, _ := os.Readlink(filepath.Join(v.directory, dataLink))
	if err := v.link(dataLink, next); err != nil {
		return err
	}
	for name := range data {
		if err := v.link(name, filepath.Join(dataLink, name)); err != nil {
			return err
		}
	}
	if last == "" {
		return nil
	}
	return errors.Join(v.unlink(last, data), os.RemoveAll(filepath.Join(v.directory, last)))
}

// link makes name a link to target at once, whatever it was.
func (v *secret) link(name, target string) error {
	path := filepath.Join(v.directory, name)
	next := path + ".new"
	if err := os.Symlink(target, next); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// unlink removes the names of the last generation that data has no more.
func (v *secret) unlink(last string, data map[string][]byte) error {
	entries, err := os.ReadDir(filepath.Join(v.directory, last))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if _, stays := data[entry.Name()]; stays {
			continue
		}
		if err := os.Remove(filepath.Join(v.directory, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
