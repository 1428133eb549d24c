# SPDX-FileCopyrightText: The Roost authors
# SPDX-License-Identifier: Apache-2.0

# What a person does with Roost's sources. The names say it; `make run` and `make test` are enough to begin with.

ROOST := .build/debug/roost
SWIFT_FORMAT := swift format
FORMATTED := --configuration .swift-format --recursive --parallel Package.swift Sources Tests

# Every tool that is needed, with the Debian package that brings it.
TOOLS := qemu-system-x86_64:qemu-system-x86 gzip:gzip dpkg-deb:dpkg git:git

.PHONY: run test check bench fuzz format lint clean prerequisites tool

# The reference system on this terminal.
run: tool
	@$(ROOST) run systems/supermicro.yaml

# Everything that can be tested without hardware.
test: prerequisites
	swift build && swift test

# The descriptions that come with Roost.
check: tool
	@$(ROOST) check systems/*.yaml

# How fast it is, as ratios against the bare emulator and against KVM.
bench: prerequisites
	swift build && .build/debug/Bench

# The tests that make up their own input, a hundred times as long as in `make test`.
fuzz: prerequisites
	ROOST_FUZZ=100 swift test --filter '[Ff]uzz|[Rr]andom'

format:
	$(SWIFT_FORMAT) format --in-place $(FORMATTED)

lint:
	$(SWIFT_FORMAT) lint --strict $(FORMATTED)

# What was built, and what was fetched.
clean:
	rm -rf .build .cache

# The command `roost`; it builds the kernel and the components when it needs them.
tool: prerequisites
	@swift build --quiet --product roost

# Installs what is missing; on a computer that has everything it does nothing.
prerequisites:
	@missing=$$(for tool in $(TOOLS); do command -v $${tool%%:*} >/dev/null || echo $${tool##*:}; done); \
	if [ -n "$$missing" ]; then \
	  echo "  packages  "$$missing >&2; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq || true; \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@command -v swift >/dev/null || { echo "Swift 6.3 or newer is needed; see https://www.swift.org/install/linux" >&2; exit 1; }
