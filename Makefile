# The familiar front of zr: every target is one or two commands that can also
# be typed by hand.

# Everything here is built with the same flags, zr's own images included, so
# that one build cache serves all of it: the compiler's work on what the
# Kubernetes programs and zr share is done once. DWARF is left out because it
# costs a fifth of the compile time and the linker strips it anyway.
export CGO_ENABLED = 0
export GOFLAGS = -trimpath -buildvcs=false -gcflags=all=-dwarf=false

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X zr/internal/cli.release=$(VERSION)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/zr and bin/zr-agent
	@go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/zr ./cmd/zr-agent

.PHONY: up
up: build ## bring the stack up: cluster, images, manifests, health
	@bin/zr doctor --fix --quiet
	@bin/zr up

.PHONY: dev
dev: build ## up, then make every save live
	@bin/zr doctor --fix --quiet
	@bin/zr dev

.PHONY: down
down: build ## remove the workloads; the cluster and the data stay
	@bin/zr down

.PHONY: test
test: deps test-unit test-race test-frontend test-browser test-cluster test-e2e ## every test, unit to end-to-end; installs what it needs

.PHONY: test-unit
test-unit: deps ## the Go tests that need no cluster
	ZR_TEST_REQUIRE=1 go test -timeout 20m $$(go list ./... | grep -v -e '^zr/e2e' -e '^zr/bench')

.PHONY: test-frontend
test-frontend: frontend/node_modules/.package-lock.json ## type check and unit tests of the dashboard
	npm --prefix frontend run typecheck
	npm --prefix frontend test

.PHONY: test-browser
test-browser: deps frontend/node_modules/.package-lock.json ## what the dashboard can show, in a real browser, without a cluster
	npm --prefix frontend run test:browser

.PHONY: screenshots
screenshots: build deps frontend/node_modules/.package-lock.json ## docs/screens: a picture of each screen of the dashboard, light and dark, and an animated one
	npm --prefix frontend run screenshots
	hack/animated-picture

# The packages whose tests have parts that only a container engine or a cluster
# can be: test-unit skips those. One after the other, since they share both.
CLUSTER_TESTS := ./internal/api/expiry ./internal/api/processtest ./internal/api/routes/configuration ./internal/api/routes/lifecycle ./internal/api/routes/overview ./internal/stack ./kustomize ./pkg/build/dockerfile ./pkg/cluster/aks ./pkg/cluster/kind ./pkg/cluster/relay ./pkg/deploy ./pkg/health ./pkg/image ./pkg/image/recipe ./pkg/livesync/layers ./pkg/logs

.PHONY: test-cluster
test-cluster: build deps ## the Go tests that need a cluster, on one of their own
	@bin/zr doctor --fix --quiet
	hack/with-cluster go test -p 1 -timeout 20m $(CLUSTER_TESTS)

.PHONY: test-e2e
test-e2e: build deps frontend/node_modules/.package-lock.json ## the tests on real clusters, with a real browser
	@bin/zr doctor --fix --quiet
	go test -count=1 -timeout 60m ./e2e/...
	hack/with-docker go test -count=1 -timeout 20m -run '^TestEngine$$' ./e2e

# The race detector needs cgo, and takes several times the memory, which the
# tests that bound memory could not bear.
RACE_TESTS := ./internal/agent/... ./internal/api/logstore ./internal/devloop ./internal/ui ./pkg/agentspec/... ./pkg/bounded ./pkg/livesync ./pkg/logline ./pkg/probe ./pkg/watch

.PHONY: test-race
test-race: ## what runs in many goroutines, under the race detector
	CGO_ENABLED=1 go test -race -timeout 20m $(RACE_TESTS)

.PHONY: test-long
test-long: build deps ## 500 random saves of each kind of service, Next.js included; takes an hour or two
	@bin/zr doctor --fix --quiet
	ZR_TEST_LONG=1 ZR_SAVES=500 go test -count=1 -v -timeout 240m -run '^TestSaves' ./e2e

.PHONY: verify
verify: frontend/node_modules/.package-lock.json ## format, vet, lint, import law, generated files
	hack/verify

.PHONY: vulncheck
vulncheck: ## known faults in what zr is built of; asks the databases of Go and npm
	go -C hack/tools build -o ../../bin/ golang.org/x/vuln/cmd/govulncheck
	bin/govulncheck ./...
	npm --prefix frontend audit --omit=dev

.PHONY: release
release: ## archives of VERSION=x.y.z for Linux and macOS, in bin/release
	hack/release '$(VERSION)'

.PHONY: generate
generate: hack/openapi-ts/node_modules/.package-lock.json ## make the generated files anew: schema, command line reference, contract of the api
	go generate ./pkg/config
	go run ./hack/openapi > docs/openapi.json
	hack/openapi-ts/node_modules/.bin/openapi-typescript docs/openapi.json -o frontend/lib/api/schema.ts >/dev/null
	@$(MAKE) --no-print-directory -s build
	go run ./hack/clidocs > docs/cli.md

.PHONY: bench
bench: build deps frontend/node_modules/.package-lock.json ## measure zr beside the bare tools; prints ratios
	@bin/zr doctor --fix --quiet
	go run ./bench

.PHONY: bench-cold
bench-cold: build ## time the first run with nothing cached, step by step
	hack/bench-cold

.PHONY: deps
deps: ## install what the tests need (Debian and Ubuntu, as root)
	@hack/install-deps

.PHONY: clean
clean: ## remove what was built here; the image store stays
	rm -rf bin bench/out frontend/.next

frontend/node_modules/.package-lock.json hack/openapi-ts/node_modules/.package-lock.json: %/node_modules/.package-lock.json: %/package-lock.json
	@hack/npm-install $*
	@touch $@
