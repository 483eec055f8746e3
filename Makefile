# Everything that a developer and CI run. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

GO ?= go
# How long `make fuzz` spends on each target, and how often `make bench` runs each.
FUZZTIME ?= 30s
COUNT ?= 1
BENCH ?= .

# Built things and pinned tools; git ignores the folder.
BUILD := .build
STATICCHECK_VERSION := v0.8.2
GOVULNCHECK_VERSION := v1.9.0
STATICCHECK := $(BUILD)/staticcheck-$(STATICCHECK_VERSION)
GOVULNCHECK := $(BUILD)/govulncheck-$(GOVULNCHECK_VERSION)

# Tests that compile large modules, or compare expressions by the hundred thousand,
# one after the other: the race detector finds nothing in them.
NO_RACE := ^(TestWithModule|TestClassifierModuleIsAsked|TestDifferential|TestDifferentialFindsPlantedBugs)$$

# Systems that the product is built for besides the one it is tested on.
PLATFORMS := windows/amd64 darwin/arm64 linux/arm64 js/wasm wasip1/wasm

CHECKS := format vet static vuln tidy cross lint race nested generated hosts vectors fuzz-short readme

.PHONY: help build test race fuzz fuzz-short bench bench-peers vectors wasm hosts generate check \
	format vet static vuln tidy cross lint nested generated readme clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the command into .build/privet
	$(GO) build -trimpath -o $(BUILD)/privet ./cmd/privet

test: ## run the tests
	$(GO) test ./...

race: ## run the tests with the race detector
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v "$$($(GO) env CC)" > /dev/null; then \
		echo "go test -race, all but packages and tests that start no goroutine and take minutes under it"; \
		$(GO) test -race -timeout 20m -skip '$(NO_RACE)' $$($(GO) list ./... | grep -v -e /wasm/emit -e /internal/conform\$$); \
	else \
		echo "the race detector needs a C compiler and there is none: running the tests without it"; $(GO) test ./...; \
	fi

fuzz: ## fuzz every target for FUZZTIME (30s) each
	@.ci/fuzz $(FUZZTIME)

bench: ## run the benchmarks matching BENCH (.), COUNT (1) times each
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

bench-peers: ## run the benchmarks beside cel-go, cedar-go, regexp, gitleaks, alcatraz, Tink and code by hand, COUNT (1) times each
	cd internal/peers && $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...
	cd internal/peers-text && $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 30m . -args -full
	cd internal/peers-pseudonym && $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -cpu 1,2 ./...

vectors: ## run the golden cases and conformance vectors, and count them
	@.ci/vectors

wasm: ## build the WebAssembly guest and classifier modules and hold their size budgets
	@.ci/wasm

hosts: wasm ## build the guest and run it in the hosts that this machine has (Go always, Node if present)
	@.ci/hosts

generate: ## make generated files anew
	$(GO) generate ./...

check: ## everything that CI rejects
	@begin=$$SECONDS; for step in $(CHECKS); do \
		printf '\n== %s\n' $$step; from=$$SECONDS; \
		$(MAKE) $$step; \
		printf -- '-- %s: %d s\n' $$step $$((SECONDS - from)); \
	done; printf '\nall checks passed in %d s\n' $$((SECONDS - begin))

clean: ## remove what was built here
	rm -rf $(BUILD)

# The parts of check; each runs alone as well.

format:
	@list=$$(gofmt -l $$(find . -name '*.go' -not -path './$(BUILD)/*' -not -path '*/testdata/*' -not -path '*/node_modules/*')); \
	if [ -n "$$list" ]; then echo "not formatted; run gofmt -w on:"; echo "$$list"; exit 1; fi

vet:
	$(GO) vet ./...

static: $(STATICCHECK)
	$(STATICCHECK) ./...

vuln:
	@.ci/vuln $(GOVULNCHECK) $(GOVULNCHECK_VERSION)

tidy:
	$(GO) mod tidy -diff

cross:
	@for platform in $(PLATFORMS); do \
		echo "go build ./... for $$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} CGO_ENABLED=0 $(GO) build ./...; \
	done

lint:
	$(GO) test ./internal/lint

nested:
	@.ci/nested

generated:
	@.ci/generated

fuzz-short:
	@.ci/fuzz 1s

readme:
	$(GO) run ./internal/cmd/readme

$(STATICCHECK):
	@mkdir -p $(BUILD)/install
	GOBIN="$$PWD/$(BUILD)/install" GOFLAGS= $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	@mv $(BUILD)/install/staticcheck $@
