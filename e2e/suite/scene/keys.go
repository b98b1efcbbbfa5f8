package scene

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// keySecret is where the keys of heartbeats are.
const keySecret = "herald-heartbeat"

// Keys gives the nodes keys of heartbeats, in the place of those before, and waits
// until each has taken them up. With the case they go.
func (st *Stage) Keys(ctx context.Context, keys map[string]string) {
	GinkgoHelper()
	before, err := st.keysTaken(ctx)
	Expect(err).NotTo(HaveOccurred())
	secrets := st.API.CoreV1().Secrets(System)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: keySecret}, Data: map[string][]byte{}}
	for name, key := range keys {
		secret.Data[name] = []byte(key)
	}
	_, err = secrets.Update(ctx, secret, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		DeferCleanup(st.forgetKeys)
		_, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
	}
	Expect(err).NotTo(HaveOccurred())
	st.touchPods(ctx)
	Eventually(func(g Gomega) {
		taken, err := st.keysTaken(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		// The logs of Pods that have ended stay as they were.
		maps.DeleteFunc(taken, func(log string, lines []string) bool { return len(lines) == len(before[log]) })
		g.Expect(taken).To(HaveLen(len(st.Nodes)), "announcers that took up keys")
		for log, lines := range taken {
			g.Expect(lines[len(lines)-1]).To(HaveSuffix(fmt.Sprintf(" keys=%d", len(keys))), log)
		}
	}).WithContext(ctx).Should(Succeed())
}

// touchPods has kubelets look after Herald's Pods, if it runs in any, and their volumes, as a rule at once.
func (st *Stage) touchPods(ctx context.Context) {
	GinkgoHelper()
	pods, err := st.API.CoreV1().Pods(System).List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"touched":"%d"}}}`, time.Now().UnixNano())
	for _, pod := range pods.Items {
		_, err := st.API.CoreV1().Pods(System).Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if !apierrors.IsNotFound(err) {
			Expect(err).NotTo(HaveOccurred())
		}
	}
}

// keysTaken returns the lines in which announcers tell of new keys, by their log.
func (st *Stage) keysTaken(ctx context.Context) (map[string][]string, error) {
	logs, err := st.Roles.Logs(ctx)
	if err != nil {
		return nil, err
	}
	taken := map[string][]string{}
	for name, log := range logs {
		for line := range bytes.Lines(log) {
			if bytes.Contains(line, []byte(`msg="new keys of heartbeats"`)) {
				taken[name] = append(taken[name], strings.TrimSpace(string(line)))
			}
		}
	}
	return taken, nil
}

// forgetKeys takes the keys away. A running announcer keeps them, so others start
// in their place.
func (st *Stage) forgetKeys(ctx context.Context) {
	GinkgoHelper()
	Expect(st.API.CoreV1().Secrets(System).Delete(ctx, keySecret, metav1.DeleteOptions{})).To(Succeed())
	st.Restart(ctx)
}
