package sbom

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// builder is a program that Go built of many modules: the one that writes SBOMs.
var builder string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "herald-sbom-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of the test's own
	builder = filepath.Join(dir, "release")
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", builder, "../cmd/release").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

func bill(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	err := Write(&out, Subject{
		Version:  "v1.2.3",
		Commit:   "0123456789abcdef",
		Created:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Platform: "linux/arm/v7",
		Programs: []string{builder},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSchema holds the SBOM against the schema of CycloneDX itself, which comes with its library.
func TestSchema(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "schema")
	compiler := jsonschema.NewCompiler()
	for file, id := range map[string]string{
		"spdx.schema.json":      "http://cyclonedx.org/schema/spdx.schema.json",
		"jsf-0.82.schemax.json": "http://cyclonedx.org/schema/jsf-0.82.schema.json",
	} {
		addSchema(t, compiler, filepath.Join(folder, file), id)
	}
	const id = "http://cyclonedx.org/schema/bom-1.6.schema.json"
	addSchema(t, compiler, filepath.Join(folder, "bom-1.6.schema.json"), id)
	schema, err := compiler.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	text := bill(t)
	if err := validate(t, schema, text); err != nil {
		t.Error(err)
	}
	broken := bytes.Replace(text, []byte(`"type": "library"`), []byte(`"type": "book"`), 1)
	if err := validate(t, schema, broken); err == nil {
		t.Error("the schema finds nothing wrong with a component of type book")
	}
}

func addSchema(t *testing.T, compiler *jsonschema.Compiler, path, id string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource(id, document); err != nil {
		t.Fatal(err)
	}
}

func validate(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

func TestContents(t *testing.T) {
	text := bill(t)
	if again := bill(t); !bytes.Equal(text, again) {
		t.Error("two SBOMs of one program differ")
	}
	var bom cyclonedx.BOM
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	refs := map[string]bool{"herald": true}
	for _, component := range *bom.Components {
		if refs[component.BOMRef] {
			t.Errorf("%s is there twice", component.BOMRef)
		}
		refs[component.BOMRef] = true
	}
	for _, part := range []string{"github.com/CycloneDX/cyclonedx-go", "std"} {
		if !slices.ContainsFunc(*bom.Components, func(c cyclonedx.Component) bool { return c.Name == part && c.Version != "" }) {
			t.Errorf("%s is not there", part)
		}
	}
	for _, dependency := range *bom.Dependencies {
		for _, ref := range append(*dependency.Dependencies, dependency.Ref) {
			if !refs[ref] {
				t.Errorf("a dependency on %s, which is not there", ref)
			}
		}
	}
}

func TestNotAProgram(t *testing.T) {
	err := Write(new(bytes.Buffer), Subject{Programs: []string{"sbom.go"}})
	if err == nil || !strings.Contains(err.Error(), "sbom.go") {
		t.Errorf("an SBOM of a text file: %v", err)
	}
}
