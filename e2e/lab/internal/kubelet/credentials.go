package kubelet

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/securitycontext"
	"k8s.io/utils/ptr"

	"github.com/heraldlb/herald/e2e/lab/internal/container"
)

// podUser is the user and group that the project's manifests name for what is not root;
// its image names none.
const podUser = 65532

var errRunAsRoot = errors.New("the container has runAsNonRoot and would run as root")

// credentials returns what a container's security context asks for.
func credentials(pod *corev1.PodSpec, spec *corev1.Container) (container.Credentials, error) {
	context := securitycontext.DetermineEffectiveSecurityContext(&corev1.Pod{Spec: *pod}, spec)
	c := container.Credentials{
		User:            int(ptr.Deref(context.RunAsUser, 0)),
		Group:           int(ptr.Deref(context.RunAsGroup, 0)),
		NoNewPrivileges: securitycontext.AddNoNewPrivileges(context),
		Capabilities:    capabilities(context),
	}
	if c.User == 0 && ptr.Deref(context.RunAsNonRoot, false) {
		return c, errRunAsRoot
	}
	if pod.SecurityContext != nil {
		for _, group := range pod.SecurityContext.SupplementalGroups {
			c.Groups = append(c.Groups, int(group))
		}
		if group := pod.SecurityContext.FSGroup; group != nil {
			c.Groups = append(c.Groups, int(*group))
		}
	}
	if separateUsers() {
		return c, nil
	}
	// Here all are one user. One that is not root in its Pod has no rights.
	if c.User != 0 {
		c.Capabilities = nil
	}
	c.User, c.Group, c.Groups = 0, 0, nil
	return c, nil
}

// separateUsers tells whether the lab has users besides root: in the user
// namespace of an ordinary user it has not.
func separateUsers() bool {
	var inside, outside, size int
	mapping, err := os.ReadFile("/proc/self/uid_map") // user_namespaces(7)
	if err != nil {
		return false
	}
	_, err = fmt.Sscan(string(mapping), &inside, &outside, &size)
	return err == nil && size > podUser
}

func capabilities(context *corev1.SecurityContext) []string {
	if ptr.Deref(context.Privileged, false) {
		return container.AllCapabilities()
	}
	have := container.DefaultCapabilities()
	if context.Capabilities == nil {
		return have
	}
	for _, drop := range context.Capabilities.Drop {
		if strings.EqualFold(string(drop), "ALL") { // runtimes take it in either case
			have = nil
		}
		have = slices.DeleteFunc(have, func(name string) bool { return name == string(drop) })
	}
	for _, add := range context.Capabilities.Add {
		if add == "ALL" {
			return container.AllCapabilities()
		}
		have = append(have, string(add))
	}
	return have
}
