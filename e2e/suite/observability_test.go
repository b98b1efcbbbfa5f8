package suite

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/promtool"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

// Each case sees the shipped alerts twice: before its fault none fires, so the fault of the
// case before is over, and with it exactly those that should. The metrics are real ones; the time
// that they have to last for is not waited for.
var _ = Describe("The alerts that are shipped", Ordered, ContinueOnFailure, func() {
	var w *watcher
	BeforeAll(func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "well", 1)
		s.Expose(ctx, "well", scene.Dual)
		s.AwaitOwners(ctx)
		forgetTheDead(ctx)
		w = newWatcher(ctx)
	})

	DescribeTable("fire on their fault, and on nothing else",
		func(ctx SpecContext, harm func(SpecContext, *scene.Scene), alerts ...promtool.Alert) {
			w.well(ctx)
			harm(ctx, stage.New(ctx))
			w.see(ctx, alerts...)
		},
		Entry("a ConfigMap that is corrupt", corrupt, warning("HeraldConfigStale")),
		Entry("an address that is on no link", offLink, critical("HeraldAddressUnowned")),
		Entry("an address that no node may answer for", ineligible, warning("HeraldAddressWithoutNode")),
		Entry("a stranger that has an address", occupied, critical("HeraldAddressConflict")),
		Entry("a stranger that takes an address", contested, critical("HeraldAddressConflict")),
		Entry("a switch that drops some heartbeats", lossy, warning("HeraldHeartbeatsLost")),
		// On kind the API server is on one of the others.
		Entry("a segment that is cut in two", Label(onLab), cut, warning("HeraldPeerSilent")),
		Entry("an announcer that hangs", hung, critical("HeraldAnnouncerAway"), warning("HeraldPeerSilent")),
	)

	It("tell how far a pool is used", func(ctx SpecContext) {
		w.well(ctx)
		s := stage.New(ctx)
		s.OwnPool(ctx, map[string]string{"range": take(stage.Spare.V4, 20).String()})
		made := 0
		for _, step := range []struct {
			used   int
			alerts []promtool.Alert
		}{
			{14, nil},
			{15, []promtool.Alert{{Name: "HeraldPoolFilling", Severity: "info"}}},
			{17, []promtool.Alert{warning("HeraldPoolNearlyFull")}},
			{19, []promtool.Alert{critical("HeraldPoolExhausted")}},
			{21, []promtool.Alert{critical("HeraldPoolExhausted"), warning("HeraldServiceWaiting")}},
		} {
			By(fmt.Sprintf("asking for %d addresses of 20", step.used))
			for ; made < step.used; made++ {
				s.Expose(ctx, fmt.Sprint("web-", made), scene.NoNodePorts)
			}
			w.see(ctx, step.alerts...)
		}
	})

	It("tell that metrics are not scraped", func(ctx SpecContext) {
		w.well(ctx)
		DeferCleanup(w.monitoring.Show(ctx, "default")) // which may read nothing
		w.see(ctx, warning("HeraldMetricsAbsent"))
	})

	It("tell of a router, and the dashboard has something to show in all that it asks", Label(onLab), func(ctx SpecContext) {
		w.well(ctx)
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx))))
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web")
		established(ctx, frr.Sessions, 1, stage.Nodes...)
		w.well(ctx)

		By("taking a session down")
		neighbor := " neighbor " + stage.HostAddress(ctx, stage.Nodes[0], 4).String() + " shutdown"
		Expect(frr.Configure(ctx, fmt.Sprint("router bgp ", frrAS), neighbor)).To(Succeed())
		w.see(ctx, warning("HeraldBGPSessionDown"))
		Expect(frr.Configure(ctx, fmt.Sprint("router bgp ", frrAS), " no"+neighbor)).To(Succeed())
		w.well(ctx)

		By("asking what the dashboard asks, with a Service that waits")
		s.Expose(ctx, "waits", scene.Ask("192.0.2.1"))
		dashboard, err := promtool.ReadDashboard(scene.Observability + "dashboard.json")
		Expect(err).NotTo(HaveOccurred())
		expressions := dashboard.Expressions()
		w.give = showing(expressions)
		w.see(ctx, warning("HeraldServiceWaiting"))
		names := w.phases[len(w.phases)-1].After.Names()
		for _, name := range promtool.Metrics(expressions...) {
			Expect(names).To(HaveKey(name), "what the dashboard asks for")
		}
	})

	It("are silent in the end", func(ctx SpecContext) { w.well(ctx) })

	It("have all been seen to fire, by the cases before", Label(onLab), func() {
		for _, rule := range w.rules.Alerts() {
			Expect(w.fired).To(HaveKey(promtool.Alert{Name: rule.Alert, Severity: rule.Labels["severity"]}))
		}
	})
})

func warning(name string) promtool.Alert  { return promtool.Alert{Name: name, Severity: "warning"} }
func critical(name string) promtool.Alert { return promtool.Alert{Name: name, Severity: "critical"} }

// watcher holds what was seen of a case, phase after phase.
type watcher struct {
	monitoring *scene.Monitoring
	rules      promtool.Rules
	phases     []promtool.Phase
	// give are expressions that are to have a value.
	give []string
	// fired are the alerts that did in any case.
	fired map[promtool.Alert]bool
}

func newWatcher(ctx SpecContext) *watcher {
	GinkgoHelper()
	rules, err := promtool.ReadRules(scene.Observability + "rules.yaml")
	Expect(err).NotTo(HaveOccurred())
	return &watcher{monitoring: stage.Monitor(ctx), rules: rules, fired: map[promtool.Alert]bool{}}
}

// forgetTheDead restarts Herald if anybody is taken for dead: who posed as a node in another
// case is, for an hour. There has to be an address: nodes speak where they announce some.
func forgetTheDead(ctx SpecContext) {
	GinkgoHelper()
	for range 2 { // so that what is exposed is of now
		stage.AwaitHeartbeats(ctx)
	}
	for _, node := range stage.Nodes {
		dead, err := stage.AgentMetric(ctx, node, "herald_members", map[string]string{"state": "Dead"})
		Expect(err).NotTo(HaveOccurred())
		if dead > 0 {
			stage.Restart(ctx)
			return
		}
	}
}

// well begins a case: no alert fires.
func (w *watcher) well(ctx SpecContext) {
	GinkgoHelper()
	w.phases, w.give = nil, nil
	w.see(ctx)
}

// watching is how long alerts may take to be those of a fault: announcers tell their counters
// every 2 s, a stranger who leaves is looked for now and then.
const watching = time.Minute

// see waits until these alerts would fire, and no others, were all to stay as it is.
func (w *watcher) see(ctx SpecContext, alerts ...promtool.Alert) {
	GinkgoHelper()
	var phase promtool.Phase
	Eventually(func() error {
		before, after, err := w.scrapes(ctx)
		if err != nil {
			return err
		}
		phase = promtool.Phase{Before: before, After: after, Firing: alerts, Give: w.give}
		return w.rules.Verify(ctx, append(slices.Clip(w.phases), phase)...)
	}).WithContext(ctx).WithTimeout(watching).WithPolling(time.Second).Should(Succeed())
	w.phases = append(w.phases, phase)
	for _, alert := range alerts {
		w.fired[alert] = true
	}
}

// scrapes returns what is exposed now, and when all announcers have told more since.
func (w *watcher) scrapes(ctx context.Context) (before, after promtool.Scrape, err error) {
	if before, err = w.monitoring.Scrape(ctx); err != nil {
		return nil, nil, err
	}
	for grown := false; !grown; {
		if after, err = w.monitoring.Scrape(ctx); err != nil {
			return nil, nil, err
		}
		grown = true
		for series, value := range after {
			if strings.HasPrefix(series, "herald_heartbeats_sent_total{") && value <= before[series] {
				grown = false
			}
		}
	}
	return before, after, nil
}

// showing are the expressions that give something as long as all is well: those that compare
// show what is wrong.
func showing(expressions []string) []string {
	compares := regexp.MustCompile(` (==|>) \d`)
	var all []string
	for _, expression := range expressions {
		if !compares.MatchString(expression) && !strings.Contains(expression, `reason!~`) && !strings.Contains(expression, `reason=~`) {
			all = append(all, expression)
		}
	}
	return all
}

func corrupt(ctx SpecContext, _ *scene.Scene) {
	unguard(ctx)
	Eventually(stage.TryPools).WithContext(ctx).WithArguments(broken).Should(Succeed())
	stage.SetPools(ctx, broken)
}

func offLink(ctx SpecContext, s *scene.Scene) {
	s.OwnPool(ctx, map[string]string{"range": take(stage.Beyond.V4, 4).String()})
	s.Expose(ctx, "far")
}

func ineligible(ctx SpecContext, s *scene.Scene) { s.Expose(ctx, "empty", scene.Local, scene.Dual) }

func occupied(ctx SpecContext, s *scene.Scene) {
	address := stage.Global.V4.To
	stage.Occupy(ctx, address)
	s.Expose(ctx, "taken", scene.Ask(address.String()))
}

func contested(ctx SpecContext, s *scene.Scene) {
	address := stage.Global.V4.To
	s.Expose(ctx, "taken", scene.Ask(address.String()))
	s.AwaitAnnouncer(ctx, "taken", address)
	stage.TakeOver(ctx, address)
}

// lossy has a quarter of the heartbeats lost by IPv4: those by IPv6 keep the nodes alive.
func lossy(ctx SpecContext, _ *scene.Scene) {
	const port = 9645
	stage.Drop(ctx, fmt.Sprintf("ether type ip udp dport %d numgen random mod 4 0 drop", port))
}

func cut(ctx SpecContext, _ *scene.Scene) {
	victim := stage.Nodes[0]
	stage.Cut(ctx, victim, stage.Others(victim)...)
}

func hung(ctx SpecContext, _ *scene.Scene) {
	victim := stage.Others(stage.Components.Server().Host)[0]
	announcer := stage.Process(ctx, ground.Announcer, victim)
	DeferCleanup(stage.Signal, announcer, "CONT")
	stage.Signal(ctx, announcer, "STOP")
}
