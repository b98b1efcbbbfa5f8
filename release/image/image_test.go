package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/heraldlb/herald/release/internal/programs"
)

var source = Source{
	Version: "v1.2.3",
	Commit:  "0123456789abcdef",
	Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	Licence: "../../LICENSE",
}

var tag = name.MustParseReference("registry.example/herald:v1.2.3").(name.Tag)

func platforms(t *testing.T, texts ...string) []Built {
	t.Helper()
	dir := programs.Build(t, Programs()...)
	var all []Built
	for _, text := range texts {
		platform, err := ParsePlatform(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Built{Platform: platform, Dir: dir})
	}
	return all
}

// archives are the two archives.
func archives(t *testing.T, built []Built) (oci, docker []byte) {
	t.Helper()
	index, err := Index(source, built)
	if err != nil {
		t.Fatal(err)
	}
	single, err := Image(source, built[0])
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := WriteOCI(&first, tag, index, source.Created); err != nil {
		t.Fatal(err)
	}
	if err := WriteDocker(&second, tag, single); err != nil {
		t.Fatal(err)
	}
	return first.Bytes(), second.Bytes()
}

func TestReproducible(t *testing.T) {
	wantOCI, wantDocker := archives(t, platforms(t, "linux/amd64", "linux/arm/v7"))
	gotOCI, gotDocker := archives(t, platforms(t, "linux/amd64", "linux/arm/v7"))
	if !bytes.Equal(wantOCI, gotOCI) {
		t.Error("two OCI archives of the same sources, built in two folders, differ")
	}
	if !bytes.Equal(wantDocker, gotDocker) {
		t.Error("two docker archives of the same sources, built in two folders, differ")
	}
}

func TestOCIArchive(t *testing.T) {
	texts := []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}
	oci, _ := archives(t, platforms(t, texts...))
	dir := t.TempDir()
	unpack(t, oci, dir)
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(root); err != nil {
		t.Error(err)
	}
	manifest, err := root.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("the layout holds %v, %v; want one index", manifest, err)
	}
	want := map[string]string{
		"org.opencontainers.image.ref.name": "v1.2.3",
		"io.containerd.image.name":          "registry.example/herald:v1.2.3",
	}
	if diff := cmp.Diff(want, manifest.Manifests[0].Annotations); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	index, err := root.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, descriptor := range inner.Manifests {
		if descriptor.ArtifactType != "" {
			t.Errorf("an image for %s is an artifact: %s", descriptor.Platform, descriptor.ArtifactType)
		}
		got = append(got, descriptor.Platform.String())
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		testImage(t, image, *descriptor.Platform)
	}
	if diff := cmp.Diff(texts, got); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

func TestDockerArchive(t *testing.T) {
	built := platforms(t, "linux/amd64")
	_, docker := archives(t, built)
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(docker)), nil }
	image, err := tarball.Image(open, &tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	testImage(t, image, built[0].Platform)
}

// testImage looks into an image.
func testImage(t *testing.T, image v1.Image, platform v1.Platform) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Platform(); !got.Equals(platform) {
		t.Errorf("the configuration is of %s, the index says %s", got, platform)
	}
	if !config.Created.Equal(source.Created) {
		t.Errorf("created %s, want %s", config.Created, source.Created)
	}
	if diff := cmp.Diff([]string{"/herald"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint (-want +got):\n%s", diff)
	}
	if got := config.Config.Labels["org.opencontainers.image.version"]; got != source.Version {
		t.Errorf("label version %q, want %q", got, source.Version)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	files, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close() //nolint:errcheck // read only
	modes := make(map[string]int64)
	for reader := tar.NewReader(files); ; {
		header, err := reader.Next()
		if err != nil {
			break
		}
		modes[header.Name] = header.Mode
		if header.Uid != 0 || header.Gid != 0 || !header.ModTime.Equal(source.Created) {
			t.Errorf("%s is %d:%d's of %s", header.Name, header.Uid, header.Gid, header.ModTime)
		}
		if header.Name == "sbom.cdx.json" {
			testSBOM(t, reader, platform)
		}
	}
	want := map[string]int64{
		"herald": 0o755, "herald-announcer": 0o755, "licenses/": 0o755, "licenses/LICENSE": 0o644, "sbom.cdx.json": 0o644,
	}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func testSBOM(t *testing.T, text io.Reader, platform v1.Platform) {
	t.Helper()
	var bom cyclonedx.BOM
	if err := json.NewDecoder(text).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	properties := *bom.Metadata.Component.Properties
	if got := properties[len(properties)-1].Value; got != platform.String() {
		t.Errorf("the SBOM is of %s, in an image for %s", got, platform)
	}
}

// unpack unpacks a tar archive.
func unpack(t *testing.T, archive []byte, dir string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "tar", "--extract", "--directory", dir)
	command.Stdin = bytes.NewReader(archive)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestParsePlatform(t *testing.T) {
	for _, text := range []string{"", "linux", "darwin/arm64", "linux/arm/v7/x"} {
		if platform, err := ParsePlatform(text); err == nil {
			t.Errorf("ParsePlatform(%q) = %v, want an error", text, platform)
		}
	}
}

func TestContainerdName(t *testing.T) {
	for text, want := range map[string]string{
		"herald:dev": "docker.io/library/herald:dev", "localhost/herald:1": "localhost/herald:1",
		"ghcr.io/heraldlb/herald:v1": "ghcr.io/heraldlb/herald:v1",
	} {
		tag, err := name.NewTag(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := containerdName(tag); got != want {
			t.Errorf("containerdName(%s) = %s, want %s", text, got, want)
		}
	}
}
