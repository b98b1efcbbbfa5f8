package migrate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/lab"
)

// shell is an administrator's, in a directory of its own beside the checkout's deploy, with
// kubectl and herald.
type shell struct {
	cluster         *lab.Cluster
	root, directory string
}

func newShell(ctx context.Context) *shell {
	GinkgoHelper()
	cluster, err := lab.Open(ctx)
	Expect(err).NotTo(HaveOccurred())
	root, err := lab.Root()
	Expect(err).NotTo(HaveOccurred())
	s := &shell{cluster: cluster, root: root, directory: GinkgoT().TempDir()}
	Expect(os.Symlink(filepath.Join(root, "deploy"), filepath.Join(s.directory, "deploy"))).To(Succeed())
	return s
}

// file returns the path of one of the checkout's bin.
func (s *shell) file(name string) string { return filepath.Join(s.root, "bin", name) }

// run has bash run a script up to the first command that fails, shows all of it and what it
// prints, and returns its standard output.
func (s *shell) run(ctx context.Context, script string) string {
	GinkgoHelper()
	return s.runWith(ctx, "-euo", script)
}

// runAll is run for a script that goes on after a command that fails.
func (s *shell) runAll(ctx context.Context, script string) string {
	GinkgoHelper()
	return s.runWith(ctx, "-uo", script)
}

func (s *shell) runWith(ctx context.Context, options, script string) string {
	GinkgoHelper()
	By("typing\n" + script)
	// A kubectl, whose kubeconfig is in memory: whatever takes its place has that too.
	cmd, err := s.cluster.Kubectl(ctx)
	Expect(err).NotTo(HaveOccurred())
	bash, err := exec.LookPath("bash")
	Expect(err).NotTo(HaveOccurred())
	cmd.Path, cmd.Args, cmd.Dir = bash, []string{"bash", options, "pipefail", "-c", script}, s.directory
	cmd.Env = append(cmd.Env, fmt.Sprintf("PATH=%s:%s:%s", s.file("assets"), s.file(""), os.Getenv("PATH")))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&output, GinkgoWriter), GinkgoWriter
	Expect(cmd.Run()).To(Succeed(), script)
	return output.String()
}
