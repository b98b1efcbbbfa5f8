// Package migrate rehearses docs/migrate-from-metallb.md: its commands, word for word, on a
// lab of their own, where MetalLB runs from its own manifest.
package migrate

import (
	"flag"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	"k8s.io/client-go/kubernetes"

	"github.com/heraldlb/herald/e2e/lab"
	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var stay = flag.Bool("stay", false, "leave the lab up")

var stage *scene.Stage

const (
	patience = 30 * time.Second
	interval = 50 * time.Millisecond
)

func TestMigrate(t *testing.T) {
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	suite.Timeout = 20 * time.Minute
	reporter.Verbose = reporter.Verbose || testing.Verbose()
	RunSpecs(t, "Migration", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(interval)
	EnforceDefaultTimeoutsWhenUsingContexts()

	probe, err := gexec.Build("github.com/heraldlb/herald/e2e/suite/probe")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)

	root, err := lab.Root()
	Expect(err).NotTo(HaveOccurred())
	build := exec.CommandContext(ctx, filepath.Join(root, "hack", "build-metallb"))
	build.Stdout, build.Stderr = GinkgoWriter, GinkgoWriter
	Expect(build.Run()).To(Succeed())

	parameters := lab.Defaults()
	parameters.Deploy = "" // the page installs Herald
	site, down, err := ground.Lab(ctx, parameters, false, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	if !*stay {
		DeferCleanup(func(ctx SpecContext) { Expect(down(ctx)).To(Succeed()) })
	}
	api, err := kubernetes.NewForConfig(site.Config)
	Expect(err).NotTo(HaveOccurred())
	stage, err = scene.NewStage(ctx, site, api, probe)
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(10*time.Minute))
