package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// projection is a projected volume: the Pod's ServiceAccount token, keys of
// ConfigMaps, and the Pod's own fields.
type projection struct {
	place     *place
	directory string
	spec      *corev1.ProjectedVolumeSource
	expires   time.Time // of the token that ends first; zero if there is none
}

// write fetches everything and puts it in place.
func (v *projection) write(ctx context.Context) error {
	v.expires = time.Time{}
	for _, source := range v.spec.Sources {
		var err error
		switch {
		case source.ServiceAccountToken != nil:
			err = v.token(ctx, source.ServiceAccountToken)
		case source.ConfigMap != nil:
			err = v.configMap(ctx, source.ConfigMap)
		case source.DownwardAPI != nil:
			err = v.downwardAPI(source.DownwardAPI)
		default:
			err = fmt.Errorf("projected source: %w", errors.ErrUnsupported)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refresh writes anew when four fifths of the token's life are over, as a
// kubelet does, until ctx ends.
func (v *projection) refresh(ctx context.Context) {
	for !v.expires.IsZero() {
		wait := time.Until(v.expires) * 4 / 5
		select {
		case <-time.After(max(wait, retryInterval)):
		case <-ctx.Done():
			return
		}
		expires := v.expires
		if err := v.write(ctx); err != nil && ctx.Err() == nil {
			v.place.kubelet.log.Warn("refresh token", "pod", v.place.pod.Name, "error", err)
			v.expires = expires
		}
	}
}

func (v *projection) token(ctx context.Context, source *corev1.ServiceAccountTokenProjection) error {
	pod := v.place.pod
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID,
		},
	}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	account := pod.Spec.ServiceAccountName
	granted, err := v.place.kubelet.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token of service account %s: %w", account, err)
	}
	if expires := granted.Status.ExpirationTimestamp.Time; v.expires.IsZero() || expires.Before(v.expires) {
		v.expires = expires
	}
	return v.file(source.Path, granted.Status.Token)
}

func (v *projection) configMap(ctx context.Context, source *corev1.ConfigMapProjection) error {
	configMap, err := v.place.kubelet.client.CoreV1().ConfigMaps(v.place.pod.Namespace).Get(ctx, source.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && ptr.Deref(source.Optional, false) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("config map %s: %w", source.Name, err)
	}
	if len(source.Items) == 0 {
		for key := range configMap.Data {
			source.Items = append(source.Items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range source.Items {
		value, ok := configMap.Data[item.Key]
		if !ok && !ptr.Deref(source.Optional, false) {
			return fmt.Errorf("config map %s has no key %s", source.Name, item.Key)
		}
		if err := v.file(item.Path, value); err != nil {
			return err
		}
	}
	return nil
}

func (v *projection) downwardAPI(source *corev1.DownwardAPIProjection) error {
	for _, item := range source.Items {
		if item.FieldRef == nil {
			return fmt.Errorf("downward API %s: only fields: %w", item.Path, errors.ErrUnsupported)
		}
		value, err := v.place.field(item.FieldRef.FieldPath)
		if err != nil {
			return err
		}
		if err := v.file(item.Path, value); err != nil {
			return err
		}
	}
	return nil
}

// file replaces a file at once, so that no reader sees half of it.
func (v *projection) file(name, content string) error {
	path := filepath.Join(v.directory, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, []byte(content), 0o644); err != nil {
		return err
	}
	return os.Rename(next, path)
}
