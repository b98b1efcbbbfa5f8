# Herald. `make help` lists what there is to do.

SHELL      := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE   ?= ghcr.io/heraldlb/herald:$(VERSION)
LDFLAGS := -s -w -X main.version=$(VERSION)

KUBE_VERSION := v1.37.2
GOLANGCI     := bin/golangci-lint-v2.15.0
GOVULNCHECK  := bin/govulncheck-v1.9.0
KIND         := bin/kind-v0.33.0

# Every binary is static.
export CGO_ENABLED := 0

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: lab build ## a three-node cluster in network namespaces, a Service, its address, a client's curl
	@hack/demo

.PHONY: demo-down
demo-down: ## take the demo's cluster away
	@if [ -x bin/lab ]; then bin/lab down; fi

.PHONY: test
test: lab build ## everything: unit, race detector, real sockets, a real API server, the suite on the lab
	@hack/test

# In containers of kind's node image, one of which is built where it cannot be pulled.
KIND_NODE_IMAGE ?= kindest/node:v1.37.0

.PHONY: e2e-kubeadm
e2e-kubeadm: build bin/release ## docs/kubeadm.md with kubeadm itself, in containers of kind's node image (needs docker, or ../shared/kind-nodes)
	@hack/e2e-kubeadm $(IMAGE) $(KIND_NODE_IMAGE) $(E2E_KUBEADM_FLAGS)

.PHONY: e2e-kind
e2e-kind: require build $(KIND) ## the suite on a cluster of kind's, as root (needs docker, or ../shared/kind-nodes): docs/kind.md
	@hack/e2e-kind $(IMAGE) $(KIND_NODE_IMAGE) $(KIND) $(E2E_KIND_FLAGS)

.PHONY: e2e-upstream
e2e-upstream: require build $(KIND) ## Kubernetes' own tests of load balancers, on a cluster of kind's: docs/conformance.md
	@hack/require nc=netcat-openbsd wget=wget # for its test image
	@hack/e2e-upstream $(IMAGE) $(KIND_NODE_IMAGE) $(KIND) $(KUBE_VERSION) $(E2E_UPSTREAM_FLAGS)

.PHONY: bench
bench: lab build ## measure: fail-over beside keepalived, HAProxy and MetalLB, expose to first answer, allocation, replies
	@hack/bench

.PHONY: lint
lint: $(GOLANGCI) ## go vet and golangci-lint, all modules
	go vet ./...
	$(GOLANGCI) run --allow-parallel-runners ./...
	cd e2e && go vet ./...
	cd e2e && ../$(GOLANGCI) run --allow-parallel-runners --config ../.golangci.yml $(E2E_LINTED)
	cd release && go vet ./...
	cd release && ../$(GOLANGCI) run --allow-parallel-runners --config ../.golangci.yml ./...

# Not lab/kube: it is all of Kubernetes, and takes the linter 10 minutes and 9 GB.
E2E_LINTED := ./bench/... ./daemon/... ./docker ./echo/... ./kind ./kubeadm ./migrate ./plane/... ./suite/... ./upstream ./lab ./lab/cmd/... ./lab/internal/...

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## govulncheck, where its database can be reached
	@hack/vulncheck $(GOVULNCHECK)

.PHONY: build
build: ## bin/herald and bin/herald-announcer
	@echo "building bin/herald, bin/herald-announcer"
	@go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

.PHONY: docs
docs: ## docs/configuration.md, from the code
	go run ./internal/reference

# What people install. docs/release.md tells more.
PLATFORMS ?= linux/amd64 linux/arm64 linux/arm/v7
export VERSION

.PHONY: image
image: ## the container image, as dist/herald.tar: made from nothing, without network or docker
	@hack/image $(IMAGE)

.PHONY: images
images: ## the image for all of PLATFORMS, as dist/herald-oci.tar
	@hack/image $(IMAGE) $(PLATFORMS)

.PHONY: install-yaml
install-yaml: bin/release ## dist/install.yaml: deploy/base with IMAGE, for kubectl apply -f
	@mkdir -p dist
	@bin/release install --image $(IMAGE) >dist/install.yaml

.PHONY: release
release: ## all files of a release, in dist/ (VERSION=v1.2.3, or the tag that is checked out)
	@hack/release $(IMAGE) $(PLATFORMS)

.PHONY: reproducible
reproducible: ## build the images twice, in two places, and compare (minutes a platform: all is compiled anew)
	@hack/reproducible $(IMAGE) $(PLATFORMS)

# The rest is for the targets above.

.PHONY: lab
lab: require ## (for the tests) bin/lab and the Kubernetes it runs; the first time takes minutes
	@hack/build-lab $(KUBE_VERSION)

# What makes packages; built here for those that make one where there is no module proxy.
.PHONY: bin/release
bin/release:
	@go build -C release -o ../bin/release ./cmd/release

.PHONY: require
require:
	@hack/require go=golang gcc=build-essential git=git ip=iproute2 nsenter=util-linux nft=nftables iptables-restore=iptables \
	  curl=curl arping=iputils-arping ndisc6=ndisc6 tcpdump=tcpdump ping=iputils-ping \
	  miniupnpd=miniupnpd-nftables upnpc=miniupnpc promtool=prometheus

$(GOLANGCI):
	@echo "building golangci-lint (minutes, the first time)"
	@GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv bin/golangci-lint $@

$(GOVULNCHECK):
	@GOBIN=$(CURDIR)/bin go install golang.org/x/vuln/cmd/govulncheck@v1.9.0
	@mv bin/govulncheck $@

$(KIND):
	@GOBIN=$(CURDIR)/bin go install sigs.k8s.io/kind@v0.33.0
	@mv bin/kind $@
