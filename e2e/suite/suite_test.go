// Package suite tells what Herald does, seen from outside: by kubectl's API,
// by a client on the segment and one behind a router, and on the wire.
//
// It runs on a lab of its own: on one that is up already with
//
//	go test ./suite -args -reuse
//
// and on a cluster of kind's by make e2e-kind. Cases that only one of them has are
// labelled with its name.
//
// Each file is one subject, each case has a namespace of its own (package
// scene), and what the cluster must offer stands in package ground.
package suite

import (
	"flag"
	"os"
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

var (
	reuse = flag.Bool("reuse", false, "use the ground that is up, and leave it up")
	on    = flag.String("ground", onLab, "what to run on: lab or kind")
)

// The grounds, and the labels of cases that only one of them has.
const (
	onLab  = "lab"
	onKind = "kind"
)

// stage is what all cases stand on; it is there once BeforeSuite is through.
var stage *scene.Stage

const (
	// patience is how long a case waits for something that should be there at
	// once, on a machine that is busy.
	patience = 15 * time.Second
	interval = 50 * time.Millisecond
)

func TestHerald(t *testing.T) {
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	suite.Timeout = 25 * time.Minute
	others := onKind
	if *on == onKind {
		suite.Timeout, others = 45*time.Minute, onLab // its kubelets and containers take their time
	}
	if suite.LabelFilter != "" {
		suite.LabelFilter = "(" + suite.LabelFilter + ") && "
	}
	suite.LabelFilter += "!" + others
	reporter.Verbose = reporter.Verbose || testing.Verbose() // go test -v shows what it is at
	if out, err := os.Stdout.Stat(); err == nil && out.Mode()&os.ModeCharDevice == 0 {
		reporter.NoColor = true // it is kept, or read elsewhere
	}
	RunSpecs(t, "Herald", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(interval)
	EnforceDefaultTimeoutsWhenUsingContexts()

	probe, err := gexec.Build("github.com/heraldlb/herald/e2e/suite/probe")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)

	site := stand(ctx)
	api, err := kubernetes.NewForConfig(site.Config)
	Expect(err).NotTo(HaveOccurred())
	stage, err = scene.NewStage(ctx, site, api, probe)
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(5*time.Minute))

// stand returns the ground, which goes with the suite.
func stand(ctx SpecContext) ground.Ground {
	GinkgoHelper()
	if *on == onKind {
		options, err := kindOptions()
		Expect(err).NotTo(HaveOccurred())
		site, down, err := ground.Kind(ctx, options, *reuse)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) { Expect(down(ctx, failed)).To(Succeed()) }, NodeTimeout(2*time.Minute))
		return site
	}
	site, down, err := ground.Lab(ctx, lab.Defaults(), *reuse, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { Expect(down(ctx)).To(Succeed()) })
	return site
}

// failed says that a case did.
var failed bool

var _ = JustAfterEach(func(ctx SpecContext) {
	failed = failed || CurrentSpecReport().Failed()
	if CurrentSpecReport().Failed() && stage != nil {
		AddReportEntry("state of the cluster", state(ctx, CurrentSpecReport().StartTime), ReportEntryVisibilityFailureOrVerbose)
	}
})
