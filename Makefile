# Targets for people; `make` alone lists them. The work itself is done by bin/stele and the Go tool.
ARCH ?= x86_64
ifeq ($(filter $(ARCH),x86_64 arm64),)
$(error ARCH=$(ARCH) is none of x86_64, arm64)
endif
OUT := build/$(ARCH)
# A Go older than go.mod asks for fetches the right one.
export GOTOOLCHAIN ?= auto

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 5s
# How many power cuts of each scenario are booted, what chooses them, and how often the power of a running machine is cut.
N ?= 20
SEED ?= 1
LIVE ?= 0
# How many machines run side by side in the tests: each has two processors of its own, and waits much of its time. With three, two slow cores were
# too few once: a guest that did not run for seconds lost its timer.
LANES ?= 2
# Packages without goroutines of foreign code that -race slows down; the race detector needs a C compiler.
RACE := ./api/... ./builder/... ./internal/... ./agent/... ./operator/... ./fleet/...

.DEFAULT_GOAL := help
.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo 'Variables: ARCH=$(ARCH) (x86_64, arm64), STELE_CACHE (build cache), DEBIAN_MIRROR, STELE_QEMU_ACCEL (kvm, tcg), LANES (machines side by side in tests), STELE_TEST_DIR (disks of tests), BENCH=-build-kernel'

.PHONY: run
run: demo ## Build the demo image and boot it in QEMU until its container answers
	@bin/stele run --detach $(OUT)/demo

.PHONY: stop
stop: bin/stele ## Stop the machine that `make run` started
	@bin/stele run --stop $(OUT)/demo

.PHONY: image
image: bin/stele ## Build the base image into build/ARCH/
	@bin/stele build images/base.yaml --arch $(ARCH) --output $(OUT)

.PHONY: demo
demo: bin/stele
	@bin/stele build images/demo.yaml --arch $(ARCH) --output $(OUT)/demo

.PHONY: bin/stele # the Go tool knows best what changed, within half a second
bin/stele: host-packages
	@go build -o $@ ./cmd/stele

.PHONY: host-packages
host-packages:
	@scripts/host-packages

# What each part of the tests takes is in build/test-times.json, and printed in the end.
TIMES := build/test-times.json
TIMED = go run ./test/times -into $(TIMES)

.PHONY: test
test: ## Run all tests, QEMU boots included: of x86_64, then of arm64; with ARCH=arm64 these only
	@rm -f $(TIMES) && mkdir -p $(dir $(TIMES))
	@status=0; for arch in $(if $(filter arm64,$(ARCH)),arm64,x86_64 arm64); do $(MAKE) --no-print-directory test-$$arch ARCH=$$arch || status=1; done; \
		go run ./test/times -table $(TIMES); exit $$status

.PHONY: test-x86_64
test-x86_64: host-packages
	@$(TIMED) -part 'images' $(MAKE) --no-print-directory image demo
	@CI=1 $(TIMED) -part 'tests without QEMU' go test -json ./...
	@CI=1 STELE_IMAGE_DIR=$(CURDIR)/$(OUT)/demo $(TIMED) -v -part 'tests with QEMU' go test -json -tags qemu -count=1 -p 1 -parallel $(LANES) -timeout 50m ./test/build ./test/qemu ./test/powercut

# Outside an arm64 host every boot of arm64 is emulated: the tests are those of what differs there, and of what must not.
ARM64_TESTS := ForeignToolsAcceptTheImage|SameInputsSameImage|BootsThroughFirmware|BootsFromOtherBuses|OtherMachines|NoCloudISO|EC2|\
	PowerButton|CrashedAgentReboots|HungAgentReboots|ContainersAreConfined|FlippedByteReboots|UpdateAndRollback|SecureBoot|Hardening
ARM64_FAULTS := kernel_panic|truncated_UKI

.PHONY: test-arm64
test-arm64: host-packages
	@$(TIMED) -part 'images of arm64' $(MAKE) --no-print-directory image demo
	@CI=1 STELE_IMAGE_DIR=$(CURDIR)/$(OUT)/demo $(TIMED) -v -part 'tests of arm64 with QEMU' go test -json -tags qemu -count=1 -p 1 -parallel $(LANES) -timeout 50m \
		-run '^Test($(subst $() ,,$(ARM64_TESTS)))$$|^TestFaults$$/^machine$$/^restarting/^($(ARM64_FAULTS))$$' ./test/build ./test/qemu

.PHONY: test-powercut
test-powercut: demo ## Cut a machine's power at N moments of each scenario and boot what is left (N=20, SEED=1, LIVE=0)
	CI=1 STELE_IMAGE_DIR=$(CURDIR)/$(OUT)/demo go test -tags qemu -count=1 -timeout 12h -v ./test/powercut -run '^(TestPowerCuts|TestLive)$$' -points $(N) -seed $(SEED) -live $(LIVE) -orders

.PHONY: check
check: host-packages ## Vet, staticcheck, race detector, generated files, short fuzzing
	go vet ./... && go vet -tags qemu ./test/...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'hint: run gofmt -w on these'; exit 1; }
	go mod tidy -diff
	go run $(STATICCHECK) ./...
	CGO_ENABLED=1 go test -race $(RACE)
	$(MAKE) generate && git diff --exit-code -- docs api
	scripts/fuzz $(FUZZTIME)

.PHONY: generate
generate: ## Regenerate what is generated: API code, reference pages, schema
	scripts/protobuf
	go generate ./...

.PHONY: bench
bench: image demo ## Measure sizes, build, boot, memory and updates; prints a table, writes build/bench.json
	@$(MAKE) demo ARCH=arm64
	go run ./test/bench -image $(OUT)/demo -base $(OUT) -other build/arm64/demo -definition images/demo.yaml -out build/bench.json $(BENCH)

.PHONY: clean
clean: ## Remove bin/ and build/; the build cache stays
	rm -rf bin build
