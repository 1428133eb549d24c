// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// A checked system description: everything in it can be built.
package struct System: Equatable, Sendable {
  package var name: String
  package var console: ConsolePort
  /// At most `Limits.switches`; a card names one by its index.
  package var switches: [VirtualSwitch] = []
  /// At most `Limits.disks`; a VM's disk names one by its index.
  package var disks: [Disk] = []
  /// At least one, at most `Limits.machines`; number n is what `@n` reaches.
  package var machines: [VirtualMachine]
  /// What the description says of the computer; `nil` where it says nothing.
  package var declaredCores: Int?
  package var declaredMemory: UInt64?
  /// What becomes of VMs whose cores are threads of others' cores.
  package var threads = ThreadPolicy.refuse
  /// Whether devices of servers may be used without an IOMMU.
  package var allowsUnprotectedDMA = false
  /// What happens to the computer when the kernel cannot go on.
  package var onPanic = OnPanic.stop
}

/// The serial port that people sit at.
package struct ConsolePort: Equatable, Sendable {
  package var uart: UART
  package var baud: Int
}

/// A virtual machine.
package struct VirtualMachine: Equatable, Sendable {
  package var name: String
  /// Bytes; a multiple of 2 MiB.
  package var memory: UInt64
  /// The core its only vCPU runs on.
  package var core: Int
  package var ifCoreMissing = MissingCore.refuse
  package var kernel: KernelSource
  package var initrd: InitrdSource?
  /// Printable ASCII, short enough for `VMMConfiguration`.
  package var commandLine: String
  package var onCrash: OnCrash
  /// At most `Limits.cards`; card n is `ethN` in its VM.
  package var cards: [NetworkCard] = []
  /// At most `Limits.shares`; disk n is `vda`, `vdb` and so on in its VM.
  package var disks: [DiskShare] = []
  /// At most `Limits.devices`; no two VMs have the same.
  package var devices: [ComputerDevice] = []
}

/// What becomes of a VM whose core is not there, or does not start.
package enum MissingCore: String, CaseIterable, Sendable {
  /// It stays off.
  case refuse
  /// It runs on another core.
  case place
}

/// Which processors a guest's programs are for.
package enum Architecture: String, CaseIterable, Sendable {
  case i386, amd64
}

/// Where a guest's kernel comes from.
package enum KernelSource: Hashable, Sendable {
  /// The kernel of the Debian distribution.
  case debian(Architecture)
  /// A bzImage; the path is the description's folder and what the description says, joined.
  case file(path: String)
}

/// Where a guest's initial RAM disk comes from.
package enum InitrdSource: Equatable, Sendable {
  /// The small busybox system that `roost` makes, with the modules of that architecture's Debian kernel.
  case busybox(Architecture)
  /// A file; the path is the description's folder and what the description says, joined.
  case file(path: String)
}
