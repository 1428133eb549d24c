// swift-tools-version: 6.2
// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// One package, two worlds: with BARE=1 the kernel and the components for the
// machine itself (Embedded Swift, no heap), without it the `roost` tool and
// the tests of every pure module on the host.

import PackageDescription

let isBare = Context.environment["BARE"] == "1"

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// A build for the tests alone, whose components fail on demand: never the one that people run.
let faults: [SwiftSetting] = Context.environment["ROOST_TEST_FAULT"] == "1" ? [.define("FAULT_INJECTION")] : []

/// On the target nothing may need a heap: the compiler refuses what would.
let bare: [SwiftSetting] = isBare ? [.unsafeFlags(["-no-allocations"])] + faults : []

/// A module of the target; a pure one also compiles, and is tested, on the host.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict + bare)
}

/// An ELF file of the boot image, placed by its own linker script.
func image(_ name: String, script: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies,
    exclude: script == "Sources/\(name)/link.ld" ? ["link.ld"] : [],
    swiftSettings: strict + bare,
    linkerSettings: [.unsafeFlags(["-Xlinker", "-T", "-Xlinker", "\(Context.packageDirectory)/\(script)"])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    resources: resources,
    swiftSettings: [.enableExperimentalFeature("Lifetimes")])
}

/// Whole systems: a driver for their consoles, the tests and the benchmark that use it, and the rules of the code.
let wholeSystem: [Target] = [
  .target(name: "TestDriver", path: "Tests/TestDriver", swiftSettings: strict),
  .testTarget(name: "TestDriverTests", dependencies: ["TestDriver"]),
  .testTarget(name: "SystemTests", dependencies: ["TestDriver", "DiskImage", "CLI"], exclude: ["Bochs", "Systems"]),
  .testTarget(name: "CodeTests", dependencies: ["TestDriver"]),
  .executableTarget(
    name: "Bench", dependencies: ["TestDriver", "DiskImage"], path: "Benchmarks/Bench", swiftSettings: strict),
]

let pure: [Target] = [
  module("Bits"),
  module("ABI", ["Bits"]),
  module("Firmware", ["Bits", "ABI"]),
  module("Decoding", ["Bits"]),
  module("PCI", ["Bits"]),
  module("Virtio", ["Bits", "ABI", "PCI"]),
  module("Switching", ["Bits", "ABI", "Virtio"]),
  module("Machine", ["Bits", "Decoding", "PCI", "Virtio"]),
  module("Terminal", ["Bits", "ABI"]),
  module("Storage", ["Bits", "ABI"]),
  module("AHCI", ["Bits"]),
  module("DiskService", ["Bits", "ABI", "AHCI", "Storage", "Virtio"]),
  module("Bus", ["Bits", "PCI", "Firmware"]),
  module("IOMMU", ["Bits", "PCI", "Firmware"]),
  module("Passthrough", ["Bits", "PCI"]),
  module("Virtualisation", ["Bits", "ABI"]),
  module("BootReport", ["Bits", "ABI", "Firmware", "PCI", "Speculation"]),
  module("Processors", ["Bits"]),
  module("Speculation", ["Bits"]),
]

let onTarget: [Target] = [
  .target(
    name: "CX86",
    cSettings: [.unsafeFlags(["-mgeneral-regs-only"])]),
  module("X86", ["Bits", "CX86"]),
  module(
    "Kernel",
    [
      "Bits", "ABI", "X86", "CX86", "Firmware", "PCI", "Bus", "IOMMU", "Virtualisation", "BootReport", "Processors",
      "Speculation",
    ]),
  image("KernelImage", script: "Sources/KernelImage/link.ld", ["Kernel", "CX86"]),
  .target(
    name: "Component", dependencies: ["Bits", "ABI", "CX86"], exclude: ["link.ld"], swiftSettings: strict + bare),
  image(
    "VMM", script: "Sources/Component/link.ld",
    ["Component", "Bits", "ABI", "Machine", "Decoding", "Virtio", "PCI", "Passthrough", "CX86"]),
  image("SwitchServer", script: "Sources/Component/link.ld", ["Component", "Bits", "ABI", "Switching", "CX86"]),
  image(
    "DiskServer", script: "Sources/Component/link.ld", ["Component", "Bits", "ABI", "AHCI", "DiskService", "CX86"]),
  image("ConsoleServer", script: "Sources/Component/link.ld", ["Component", "Bits", "ABI", "Terminal", "CX86"]),
]

let onHost: [Target] = [
  .target(
    name: "Description",
    dependencies: [
      "Bits", "ABI", "Machine", .product(name: "Yams", package: "Yams"),
      .product(name: "SystemPackage", package: "swift-system"),
    ],
    swiftSettings: strict),
  .target(
    name: "ImagePacking", dependencies: ["Bits", "ABI", "Description"],
    swiftSettings: strict),
  .target(name: "DiskImage", dependencies: ["Storage"], swiftSettings: strict),
  .target(
    name: "HostTools",
    dependencies: [
      .product(name: "Subprocess", package: "swift-subprocess"),
      .product(name: "Logging", package: "swift-log"),
      .product(name: "SystemPackage", package: "swift-system"),
    ],
    swiftSettings: strict),
  .target(name: "Survey", dependencies: ["Bits", "Firmware", "Description", "Speculation"], swiftSettings: strict),
  .target(
    name: "BootMedia",
    dependencies: [
      "Bits", "HostTools", "DiskImage", "Storage", .product(name: "SystemPackage", package: "swift-system"),
    ],
    swiftSettings: strict),
  .target(
    name: "GuestImage",
    dependencies: ["Bits", "Machine", "HostTools", .product(name: "SystemPackage", package: "swift-system")],
    resources: [.embedInCode("Root")],
    swiftSettings: strict),
  .target(
    name: "Emulator",
    dependencies: [
      "HostTools",
      .product(name: "Subprocess", package: "swift-subprocess"),
      .product(name: "SystemPackage", package: "swift-system"),
    ],
    swiftSettings: strict),
  .executableTarget(
    name: "CLI",
    dependencies: [
      "ABI", "Bits", "Description", "ImagePacking", "GuestImage", "DiskImage", "Storage", "Emulator", "HostTools",
      "BootMedia", "Survey",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Logging", package: "swift-log"),
      .product(name: "SystemPackage", package: "swift-system"),
    ],
    swiftSettings: strict),
  .target(
    name: "TestSupport", dependencies: ["Bits", "ABI", "Firmware"], path: "Tests/TestSupport",
    swiftSettings: [.enableExperimentalFeature("Lifetimes")]),
  tests("Bits"),
  tests("ABI", ["Bits"]),
  tests("Firmware", ["Bits", "ABI"]),
  tests("Decoding", ["Bits"]),
  tests("PCI", ["Bits"]),
  tests("Virtio", ["Bits", "ABI", "PCI"]),
  tests("Switching", ["Bits", "ABI", "Virtio"]),
  tests("Machine", ["Bits", "ABI", "Decoding", "PCI", "Virtio"]),
  tests("Terminal", ["Bits", "ABI"]),
  tests("Storage", ["Bits", "ABI", "TestDriver"]),
  tests("AHCI", ["Bits"]),
  tests("DiskService", ["Bits", "ABI", "AHCI", "Storage", "Virtio"]),
  tests("DiskImage", ["Storage"]),
  tests("Bus", ["Bits", "PCI", "Firmware"]),
  tests("IOMMU", ["Bits", "PCI", "Firmware"]),
  tests("Passthrough", ["Bits", "PCI"]),
  tests("Virtualisation", ["Bits", "ABI", "Machine"]),
  tests("BootReport", ["Bits", "ABI", "Firmware", "PCI", "Speculation"]),
  tests("Processors", ["Bits"]),
  tests("Speculation", ["Bits"]),
  tests("Description", ["Bits", "ABI", "TestDriver"], resources: [.copy("Fixtures")]),
  tests("ImagePacking", ["Bits", "ABI", "Description", "Firmware"]),
  tests(
    "GuestImage",
    [
      "Bits", "HostTools", "Machine", .product(name: "Logging", package: "swift-log"),
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
  tests(
    "HostTools", ["TestDriver", .product(name: "SystemPackage", package: "swift-system")]),
  tests(
    "BootMedia",
    [
      "DiskImage", "HostTools", "Storage", "TestDriver", .product(name: "Logging", package: "swift-log"),
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
  tests("Survey", ["Bits", "Description", "Speculation"]),
  tests("Emulator"),
]

let package = Package(
  name: "roost",
  products: isBare
    ? ["KernelImage", "VMM", "SwitchServer", "DiskServer", "ConsoleServer"].map { .executable(name: $0, targets: [$0]) }
    : [.executable(name: "roost", targets: ["CLI"])],
  dependencies: isBare
    ? []
    : [
      .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
      .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
      .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
      .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
      .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
  targets: pure + (isBare ? onTarget : onHost + wholeSystem),
  swiftLanguageModes: [.v6])
