package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asked are the commands of quick starts that an API server alone can answer: nothing
// runs that it is told of.
var asked = regexp.MustCompile(`^kubectl (apply|create|expose|get) `)

// testQuickStarts types what the quick starts say, as far as kubectl and an API server
// go, and has a shell read all of it.
func (c *cluster) testQuickStarts(t *testing.T) {
	base, err := os.ReadFile("base/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tag := regexp.MustCompile(`newTag: (\S+)`).FindStringSubmatch(string(base))
	if tag == nil {
		t.Fatal("deploy/base has no tag")
	}
	pages, err := filepath.Glob("../docs/quickstart-*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("quick starts: %v, %v", pages, err)
	}
	for _, page := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			script := indented(string(text))
			c.shell(t, "-n", script)
			if image := "make image IMAGE=ghcr.io/heraldlb/herald:" + tag[1] + "\n"; !strings.Contains(script, image) {
				t.Errorf("it builds another image than deploy/base asks for: no %s", image)
			}
			var typed []string
			for command := range strings.SplitSeq(strings.ReplaceAll(script, "\\\n", ""), "\n") {
				if asked.MatchString(command) {
					typed = append(typed, command)
				}
			}
			if len(typed) < 5 {
				t.Errorf("only %q could be typed", typed)
			}
			c.shell(t, "-e", strings.Join(typed, "\n"))
			c.shell(t, "-e", clean)
		})
	}
	c.apply(t, "base")
}

// clean takes away what the next page makes again.
const clean = `kubectl delete deployment/web service/web --ignore-not-found
kubectl delete configmap herald -n herald-system --ignore-not-found`

// indented returns the code of a page: what is indented by four spaces.
func indented(page string) string {
	var script strings.Builder
	for line := range strings.Lines(page) {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			script.WriteString(code)
		}
	}
	return script.String()
}

// shell runs a script at the root of the repository, with a user's kubectl.
func (c *cluster) shell(t *testing.T, flag, script string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", flag, "/dev/stdin")
	command.Dir = ".."
	command.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig, "PATH="+filepath.Dir(c.kubectl)+":"+os.Getenv("PATH"),
		"pool=172.18.0.0/16", "node=worker", "address=172.18.255.254")
	command.Stdin = strings.NewReader(script)
	if out, err := command.CombinedOutput(); err != nil || strings.Contains(string(out), "Warning:") {
		t.Errorf("bash %s: %v\n%s\n%s", flag, err, script, out)
	}
}
