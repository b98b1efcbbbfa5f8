package scene

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

// daemonSet is the name of the one that runs agents and announcers.
const daemonSet = "herald"

// Restart restarts the DaemonSet node by node as kubectl rollout restart does,
// and waits until that is through.
func (st *Stage) Restart(ctx context.Context) {
	GinkgoHelper()
	st.rollOut(ctx, map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		"kubectl.kubernetes.io/restartedAt": time.Now().Format(time.RFC3339Nano),
	}}})
}

// Announcers has the announcers run with further arguments, until the case ends.
func (st *Stage) Announcers(ctx context.Context, arguments ...string) {
	GinkgoHelper()
	set, err := st.API.AppsV1().DaemonSets(System).Get(ctx, daemonSet, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	for _, container := range set.Spec.Template.Spec.Containers {
		if container.Name == string(ground.Announcer) {
			DeferCleanup(st.setArguments, container.Args)
			st.setArguments(ctx, slices.Concat(container.Args, arguments))
		}
	}
}

func (st *Stage) setArguments(ctx context.Context, arguments []string) {
	GinkgoHelper()
	st.rollOut(ctx, map[string]any{"spec": map[string]any{"containers": []map[string]any{
		{"name": ground.Announcer, "args": arguments},
	}}})
}

// rollOut changes the template of the Pods, and waits until all are new ones.
func (st *Stage) rollOut(ctx context.Context, template map[string]any) {
	GinkgoHelper()
	old, err := st.Roles.Processes(ctx)
	Expect(err).NotTo(HaveOccurred())
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": template}})
	Expect(err).NotTo(HaveOccurred())
	_, err = st.API.AppsV1().DaemonSets(System).Patch(ctx, daemonSet, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	Expect(err).NotTo(HaveOccurred())
	st.AwaitSuccessors(ctx, slices.DeleteFunc(old, func(p ground.Process) bool { return p.Role == ground.Controller })...)
}
