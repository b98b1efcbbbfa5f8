package manifest

import (
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

const (
	name = "herald"
	// nobody is the user of what needs no right on its host.
	nobody = int64(65532)
	// grace is what a hand-over takes at most, or what routers take to forget this node,
	// and a few seconds of slack.
	grace = int64(15)
)

// Pod returns a static Pod for kubeadm: what has to run before there is an API.
func Pod(o Options) (*corev1.Pod, error) {
	host, err := o.paths()
	if err != nil {
		return nil, err
	}
	o.Kubeconfig = or(o.Kubeconfig, host.kubeconfig)
	if o.ControlPlane {
		o.VIP.Health.CA = or(o.VIP.Health.CA, host.ca)
	}
	o.controlPlaneNodes = true
	if err := o.Complete(); err != nil {
		return nil, err
	}
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: o.Namespace, Labels: o.labels()},
		Spec:       o.podSpec(),
	}, nil
}

// labels are those that herald status finds agents by.
func (o *Options) labels() map[string]string {
	component := "node"
	if !o.Services {
		component = "controlplane"
	}
	return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}
}

// podSpec returns what all Pods have in common.
func (o *Options) podSpec() corev1.PodSpec {
	spec := corev1.PodSpec{
		HostNetwork:                   true,
		PriorityClassName:             "system-node-critical",
		TerminationGracePeriodSeconds: new(grace),
		EnableServiceLinks:            new(false),
		AutomountServiceAccountToken:  new(false),
		SecurityContext: &corev1.PodSecurityContext{
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	var mounted volumes
	for _, role := range o.Roles() {
		container := o.container(role, &mounted)
		if *container.SecurityContext.RunAsUser == nobody {
			spec.SecurityContext.FSGroup = new(nobody) // it may use the announcer's socket
		}
		spec.Containers = append(spec.Containers, container)
	}
	spec.Volumes = mounted.all
	return spec
}

func (o *Options) container(role Role, mounted *volumes) corev1.Container {
	c := corev1.Container{
		Name:            role.Name,
		Image:           o.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         []string{role.Program},
		Args:            role.Args,
		Resources:       requests(role),
		SecurityContext: role.rights(),
		VolumeMounts:    o.mounts(role, mounted),
	}
	if o.NodeName == "" {
		c.Env = []corev1.EnvVar{{Name: "NODE_NAME", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"},
		}}}
	}
	for _, v := range role.Env {
		c.Env = append(c.Env, corev1.EnvVar{Name: v.Name, Value: v.Value})
	}
	switch {
	case role.Probe != nil:
		ask := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: append([]string{role.Program}, role.Probe...)}}
		c.LivenessProbe = &corev1.Probe{ProbeHandler: ask, InitialDelaySeconds: 10, PeriodSeconds: 20, TimeoutSeconds: 5}
		c.ReadinessProbe = &corev1.Probe{ProbeHandler: ask, PeriodSeconds: 10, TimeoutSeconds: 5}
	case role.Health != "":
		c.LivenessProbe = &corev1.Probe{ProbeHandler: page(role.Health, "/healthz"), InitialDelaySeconds: 10, PeriodSeconds: 20}
		c.ReadinessProbe = &corev1.Probe{ProbeHandler: page(role.Health, "/readyz"), PeriodSeconds: 5}
	}
	return c
}

// page returns a probe of what is served at an address of this host.
func page(address, path string) corev1.ProbeHandler {
	host, text, err := net.SplitHostPort(address)
	port, invalid := strconv.Atoi(text)
	if err != nil || invalid != nil {
		return corev1.ProbeHandler{} // Complete has refused it
	}
	return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Host: host, Port: intstr.FromInt(port)}}
}

func (o *Options) mounts(role Role, mounted *volumes) []corev1.VolumeMount {
	var all []corev1.VolumeMount
	mounted.add(socket())
	if role.Wire || role.Name == "controlplane" || role.Name == "agent" {
		all = append(all, corev1.VolumeMount{Name: socketVolume, MountPath: "/run/herald", ReadOnly: !role.Wire})
	}
	for _, file := range role.Files {
		if o.clusterCA && file == caDirectory+"/"+caFile {
			mounted.add(clusterCA())
			all = append(all, corev1.VolumeMount{Name: caVolume, MountPath: caDirectory, ReadOnly: true})
			continue
		}
		all = append(all, mounted.host(file, corev1.HostPathFile))
	}
	if role.Directory != "" {
		all = append(all, mounted.host(role.Directory, corev1.HostPathDirectoryOrCreate))
	}
	switch {
	case role.Wire && o.secretKeys:
		mounted.add(keys())
		all = append(all, corev1.VolumeMount{Name: heartbeatVolume, MountPath: keyDirectory, ReadOnly: true})
	case role.Wire && o.KeyDirectory != "":
		all = append(all, mounted.host(o.KeyDirectory, corev1.HostPathDirectory))
	}
	if role.Token && o.Kubeconfig == "" {
		mounted.add(token())
		all = append(all, corev1.VolumeMount{Name: tokenVolume, MountPath: tokenDirectory, ReadOnly: true})
	}
	return all
}

// rights returns as few as the role can do with.
func (r Role) rights() *corev1.SecurityContext {
	rights := &corev1.SecurityContext{
		RunAsUser:                new(nobody),
		RunAsGroup:               new(nobody),
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	switch {
	case r.Wire: // a capability that is added counts for no other user
		rights.Capabilities.Add = []corev1.Capability{"NET_ADMIN", "NET_RAW", "SYS_NICE"}
		fallthrough
	case r.secret(): // root's files, and root alone reads them
		rights.RunAsUser, rights.RunAsGroup = ptr.To[int64](0), ptr.To[int64](0)
	default:
		rights.RunAsNonRoot = new(true)
	}
	return rights
}

func requests(role Role) corev1.ResourceRequirements {
	memory := "64Mi"
	if role.Wire {
		memory = "32Mi"
	}
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("20m"),
		corev1.ResourceMemory: resource.MustParse(memory),
	}}
}

func quantity(text string) *resource.Quantity {
	q := resource.MustParse(text)
	return &q
}
