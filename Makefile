# SPDX-FileCopyrightText: The Roost authors
# SPDX-License-Identifier: Apache-2.0

# What a person does with Roost's sources. The names say it; `make run` and `make test` are enough to begin with.

ROOST := .build/debug/roost
SWIFT_FORMAT := swift format
FORMATTED := --configuration .swift-format --recursive --parallel Package.swift Sources Tests Benchmarks
# A release build for the machine itself, into the folder $(1) of .build; `roost` does the same for `bare`.
IMAGES = BARE=1 swift build --quiet --scratch-path .build/$(1) --triple x86_64-unknown-none-elf \
	--toolset toolset.json -c release
# How often `make bench` measures each column.
ROUNDS := 1
# How many times as much `make fuzz` makes up as `make test`.
FUZZ := 200

# Every tool that is needed, with the Debian package that brings it; a file's path stands for itself.
TOOLS := qemu-system-x86_64:qemu-system-x86 gzip:gzip xz:xz-utils lz4:lz4 zstd:zstd dpkg-deb:dpkg git:git objdump:binutils \
	cpio:cpio grub-mkimage:grub-common xorriso:xorriso mformat:mtools /usr/lib/grub/i386-pc/boot.img:grub-pc-bin \
	/usr/lib/grub/x86_64-efi/moddep.lst:grub-efi-amd64-bin /usr/share/OVMF/OVMF_CODE_4M.fd:ovmf \
	/usr/lib/ipxe/qemu/pxe-virtio.rom:ipxe-qemu bochs:bochs partx:util-linux \
	/usr/share/bochs/BIOS-bochs-latest:bochsbios /usr/share/vgabios/vgabios.bin:vgabios

# Seconds of traffic in `make traffic`.
TRAFFIC := 600
# How often `make torture` takes the power away from a VM that writes.
TORTURE := 20

# The suites about machines, as firmware, Bochs or QEMU make them; those that write the same files are in one lane.
MACHINES := AMDRemappingTests|BootLoaderTests|CoreTests|DeviceTests|IntelTests|OddFirmwareTests|ProbeTests|RefusalTests|StormTests|UnprotectedTests
# The tests as a program, since of `swift test` only one runs at a time.
SYSTEM_TESTS = $$(swift build --show-bin-path)/roostPackageTests.xctest --testing-library swift-testing

.PHONY: run test test-machines test-guests test-intel check bench fuzz torture traffic format lint clean prerequisites \
	tool images

# The reference system on this terminal.
run: tool
	@$(ROOST) run systems/supermicro.yaml

# Everything that can be tested without hardware: modules, rules of the code, and whole systems in the emulator. The
# systems are in two lanes, side by side: one at a time would leave half of two processors idle.
test: prerequisites images
	@ROOST_TEST_FAULT=1 $(call IMAGES,faulty)
	swift test --skip SystemTests
	@$(MAKE) --no-print-directory --jobs=2 --keep-going test-machines test-guests

# The lanes; `make test` has built what they need.
test-machines:
	$(SYSTEM_TESTS) --filter 'SystemTests.($(MACHINES))'
test-guests:
	$(SYSTEM_TESTS) --filter SystemTests --skip '$(MACHINES)'

# The kernel and the components.
images: prerequisites
	@$(call IMAGES,bare)

# The descriptions that come with Roost.
check: tool
	@$(ROOST) check systems/*.yaml

# How fast it is, as ratios against the bare emulator and against KVM; see Benchmarks/README.md.
bench: prerequisites images
	@swift build --quiet
	@.build/debug/Bench $(ROUNDS)

# The tests of all modules, those that make up their own input FUZZ times as long as in `make test`; optimised, which is
# ten times as fast and traps as well.
fuzz: prerequisites
	ROOST_FUZZ=$(FUZZ) swift test --configuration release -Xswiftc -enable-testing --scratch-path .build/fuzz \
		--skip SystemTests --skip CodeTests

# The tests of the network, with TRAFFIC seconds of mixed traffic among four VMs.
traffic: prerequisites images
	ROOST_TRAFFIC_SECONDS=$(TRAFFIC) swift test --filter SystemTests.NetworkTests

# A VM writes and syncs, the power is lost, what was synced must be there: TORTURE times, in `make test` twice.
torture: prerequisites images
	ROOST_TORTURE=$(TORTURE) swift test --filter TortureTests

# The same kernel on Intel processors with VMX, which Bochs emulates: what `make test` has of it, and more.
test-intel: prerequisites images
	ROOST_INTEL=1 swift test --filter SystemTests.IntelTests

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
	@missing=$$(for tool in $(TOOLS); do \
	  command -v $${tool%%:*} >/dev/null || test -e $${tool%%:*} || echo $${tool##*:}; done); \
	if [ -n "$$missing" ]; then \
	  echo "  packages  "$$missing >&2; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq || true; \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@command -v swift >/dev/null || { echo "Swift 6.3 or newer is needed; see https://www.swift.org/install/linux" >&2; exit 1; }
