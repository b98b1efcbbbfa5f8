package manifest

import (
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

const (
	socketVolume    = "socket"
	heartbeatVolume = "heartbeat"
	tokenVolume     = "token"
	caVolume        = "ca"

	tokenDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"
	keyDirectory   = "/etc/herald/heartbeat"
	caDirectory    = "/etc/herald/ca"
	caFile         = "ca.crt"
)

// volumes collects those of a Pod, each once.
type volumes struct{ all []corev1.Volume }

func (v *volumes) add(volume corev1.Volume) {
	has := func(other corev1.Volume) bool { return other.Name == volume.Name }
	if !slices.ContainsFunc(v.all, has) {
		v.all = append(v.all, volume)
	}
}

// host adds a path of the host, and returns where it is mounted: at the same path.
//
// A file has to be there when the Pod starts, else the kubelet tries again. With
// kubeadm it is: init and join write certificates and kubeconfigs before the kubelet
// has anything to start. A directory would show the container all the keys in it.
func (v *volumes) host(file string, kind corev1.HostPathType) corev1.VolumeMount {
	writable := kind == corev1.HostPathDirectoryOrCreate
	for _, volume := range v.all {
		if volume.HostPath != nil && volume.HostPath.Path == file {
			return corev1.VolumeMount{Name: volume.Name, MountPath: file, ReadOnly: !writable}
		}
	}
	base := slug(path.Base(file))
	name := base
	taken := func(volume corev1.Volume) bool { return volume.Name == name }
	for i := 2; slices.ContainsFunc(v.all, taken); i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	v.all = append(v.all, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: file, Type: &kind},
	}})
	return corev1.VolumeMount{Name: name, MountPath: file, ReadOnly: !writable}
}

// slug makes a volume's name of a file's.
func slug(file string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(file))
	const most = 50 // of 63, for a number
	name = strings.Trim(name[:min(len(name), most)], "-")
	return "host-" + name
}

func socket() corev1.Volume {
	return corev1.Volume{Name: socketVolume, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: quantity("1Mi")},
	}}
}

// keys is the Secret of heartbeats' keys, if there is one.
func keys() corev1.Volume {
	return corev1.Volume{Name: heartbeatVolume, VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{
			SecretName: "herald-heartbeat", Optional: new(true), DefaultMode: ptr.To[int32](0o400),
		},
	}}
}

// clusterCA is the certificate authority of API servers, which every namespace has.
func clusterCA() corev1.Volume {
	return corev1.Volume{Name: caVolume, VolumeSource: corev1.VolumeSource{ConfigMap: rootCA()}}
}

func rootCA() *corev1.ConfigMapVolumeSource {
	return &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
		Items:                []corev1.KeyToPath{{Key: caFile, Path: caFile}},
	}
}

// token is what would be mounted into all containers, for those that need it.
func token() corev1.Volume {
	ca := rootCA()
	return corev1.Volume{Name: tokenVolume, VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: ptr.To[int64](3607)}},
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: ca.LocalObjectReference, Items: ca.Items}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{
				{Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}},
			}}},
		}},
	}}
}
