// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

// The boot image has two parts, which can lie in one file or be two modules of a boot loader: the system, which is a
// header, tables of fixed-size records and small files; and its material, the large files that other systems can use too.
// Each file has whole pages of its own.
// `ImagePacking` writes it on the host from the checked description; the kernel reads it once, at boot, and takes
// nothing in it on trust. All numbers are little-endian; a record is stored as Swift lays it out, which
// `Records+Layout.swift` of `ABITests` holds to sizes and offsets.

/// The kinds of table, in the order of the header.
package enum BootTable: Int, Sendable {
  case files = 0, domains, regions, mappings, guestMappings, channels, ports, interrupts, devices
  package static var count: Int { 9 }
}

/// The first bytes of a boot image.
package struct BootHeader: BitwiseCopyable {
  /// "ROOSTIMG".
  package static var magic: UInt64 { 0x474D_4954_534F_4F52 }
  package static var version: UInt32 { 4 }

  package var magic: UInt64 = BootHeader.magic
  package var version: UInt32 = BootHeader.version
  /// An `OnPanic`.
  package var onPanic: UInt16 = 0
  /// A `ThreadPolicy`.
  package var threads: UInt16 = ThreadPolicy.refuse.rawValue
  /// Bytes of both parts.
  package var size: UInt64 = 0
  /// Where each `BootTable` is.
  package var tables: InlineArray<9, TableExtent> = InlineArray(repeating: TableExtent())
  /// The name of the system, from its description.
  package var name = ShortName()
  /// Bytes of the system, a multiple of 4096 if there is material.
  package var systemSize: UInt64 = 0
  /// The material that belongs to it; 0 for none.
  package var material: UInt64 = 0
  package init() {}
}

/// What becomes of a VM whose core is a hyper-thread of one that another VM, or a server, has.
package enum ThreadPolicy: UInt16, Sendable {
  /// It stays off where the processor leaks between threads; elsewhere, a warning.
  case refuse = 0
  /// It runs, with a warning.
  case warn
  /// It runs.
  case share
}

/// The first bytes of the material; its first file begins a page later.
package struct MaterialHeader: BitwiseCopyable {
  /// "ROOSTMAT".
  package static var magic: UInt64 { 0x5441_4D54_534F_4F52 }

  package var magic: UInt64 = MaterialHeader.magic
  /// A number made from the contents, by which a system names its material.
  package var mark: UInt64 = 0
  package init(mark: UInt64 = 0) { self.mark = mark }
}

/// Where a table is: `count` records from byte `offset`.
package struct TableExtent: BitwiseCopyable {
  package var offset: UInt64 = 0
  package var count: UInt64 = 0
  package init(offset: UInt64 = 0, count: UInt64 = 0) {
    self.offset = offset
    self.count = count
  }
}

/// A file of the image: an ELF program, its symbols, a guest's kernel, a configuration.
package struct FileRecord: BitwiseCopyable {
  package var name: ShortName
  /// From the system's start, a multiple of 4096; from `systemSize` on it is in the material, which begins there.
  package var offset: UInt64
  package var size: UInt64
  package init(name: ShortName, offset: UInt64, size: UInt64) {
    self.name = name
    self.offset = offset
    self.size = size
  }

  /// The name of the file with the kernel's own symbols.
  package static var kernelSymbols: StaticString { "kernel.symbols" }
}

/// A protection domain and its thread.
package struct DomainRecord: BitwiseCopyable {
  package var name: ShortName
  /// The index of its ELF file.
  package var program: UInt32
  /// The index of its `SymbolTable` file; `noIndex` if there is none.
  package var symbols: UInt32 = DomainRecord.noIndex
  /// The core its thread runs on, from 0.
  package var core: UInt16
  /// Higher runs first: 0 to 7. VMMs have 3, servers 5.
  package var priority: UInt8
  /// A `DomainTraits`.
  package var traits: UInt8
  /// An `OnCrash`.
  package var onCrash: UInt8
  private var reserved: UInt8 = 0
  private var reserved2: UInt16 = 0

  package static var noIndex: UInt32 { 0xffff_ffff }

  package init(
    name: ShortName, program: UInt32, symbols: UInt32 = DomainRecord.noIndex, core: UInt16, priority: UInt8,
    traits: DomainTraits, onCrash: OnCrash
  ) {
    self.name = name
    self.program = program
    self.symbols = symbols
    self.core = core
    self.priority = priority
    self.traits = traits.rawValue
    self.onCrash = onCrash.rawValue
  }
}

/// What a domain is, and may do to others.
package struct DomainTraits: Flags {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Has a vCPU, whose page is mapped at `AddressMap.virtualCPU`.
  package static var hasVirtualCPU: Self { .bit(0) }
  /// May stop and restart domains.
  package static var controlsDomains: Self { .bit(1) }
  /// Shows the system's log: gets `Notifications.log`, and the kernel stops writing to the UART itself.
  package static var showsLog: Self { .bit(2) }
  /// May have another core if its own does not run.
  package static var mayMove: Self { .bit(3) }

  /// All but where it may run: what it is.
  package var role: Self { Self(rawValue: rawValue & ~Self.mayMove.rawValue) }
}

/// What happens to a domain that failed.
package enum OnCrash: UInt8, Sendable {
  case stop = 0
  case restart = 1
}

/// What happens to the machine when its kernel cannot go on.
package enum OnPanic: UInt16, Sendable {
  case stop = 0
  case reboot = 1
}

/// A piece of memory that can be mapped into domains.
package struct RegionRecord: BitwiseCopyable {
  /// A `RegionKind`.
  package var kind: UInt32
  /// The index of the file, for `RegionKind.file`.
  package var file: UInt32
  /// Bytes; a multiple of 4096, of 2 MiB for guest memory.
  package var size: UInt64

  package init(kind: RegionKind, file: UInt32 = DomainRecord.noIndex, size: UInt64) {
    self.kind = kind.rawValue
    self.file = file
    self.size = size
  }
}

package enum RegionKind: UInt32, Sendable {
  /// Memory that is zero at boot and keeps its contents when domains restart: rings and shared state.
  case shared = 0
  /// Memory of one domain, zeroed whenever that domain starts.
  case workspace = 1
  /// A file of the image; can only be mapped read-only.
  case file = 2
  /// A guest's memory: contiguous, aligned to 2 MiB.
  case guestMemory = 3
  /// The kernel's `LogRing`; can only be mapped read-only.
  case log = 4
  /// The kernel's `DomainStatus` pages; can only be mapped read-only.
  case status = 5
  /// Memory that one domain shares with the device that it owns: in one piece, zero at boot. It keeps its contents when
  /// the domain restarts, since the device may be reading from it until it is told to stop.
  case deviceMemory = 6
}

/// A region in a domain's address space, never executable.
package struct MappingRecord: BitwiseCopyable {
  package var domain: UInt32
  package var region: UInt32
  package var address: UInt64
  /// 1 if the domain may write.
  package var isWritable: UInt64

  package init(domain: UInt32, region: UInt32, address: UInt64, isWritable: Bool) {
    self.domain = domain
    self.region = region
    self.address = address
    self.isWritable = isWritable ? 1 : 0
  }
}

/// A region in the address space of a domain's guest, readable, writable and executable.
package struct GuestMappingRecord: BitwiseCopyable {
  package var domain: UInt32
  package var region: UInt32
  /// Guest-physical: a multiple of 2 MiB for guest memory, of 4096 for an overlay.
  package var address: UInt64
  /// 1 for an overlay: a page of the VMM's workspace that the guest sees only while `VirtualCPUState.overlay` says so.
  package var isOverlay: UInt64

  package init(domain: UInt32, region: UInt32, address: UInt64, isOverlay: Bool = false) {
    self.domain = domain
    self.region = region
    self.address = address
    self.isOverlay = isOverlay ? 1 : 0
  }
}

/// Two ends of a notification: what one signals on its slot arrives as the other's bit.
package struct ChannelRecord: BitwiseCopyable {
  package var firstDomain: UInt32
  package var secondDomain: UInt32
  package var firstSlot: UInt16
  package var secondSlot: UInt16

  package init(firstDomain: UInt32, firstSlot: UInt16, secondDomain: UInt32, secondSlot: UInt16) {
    self.firstDomain = firstDomain
    self.secondDomain = secondDomain
    self.firstSlot = firstSlot
    self.secondSlot = secondSlot
  }
}

/// A domain's right to `count` I/O ports from `first`.
package struct PortRecord: BitwiseCopyable {
  package var domain: UInt32
  package var first: UInt16
  package var count: UInt16

  package init(domain: UInt32, first: UInt16, count: UInt16) {
    self.domain = domain
    self.first = first
    self.count = count
  }
}

/// A domain's right to a device's interrupt.
package struct InterruptRecord: BitwiseCopyable {
  package var domain: UInt32
  /// The slot of the domain: 0 to 15.
  package var slot: UInt16
  /// 1 if `source` is an ISA IRQ, which the MADT may move; 0 if it is a GSI.
  package var isISA: UInt16
  package var source: UInt32

  package init(domain: UInt32, slot: UInt16, isISA: Bool, source: UInt32) {
    self.domain = domain
    self.slot = slot
    self.isISA = isISA ? 1 : 0
    self.source = source
  }
}

/// A domain's right to a PCI device.
///
/// A server has its registers at `AddressMap.deviceRegisters`, its interrupt, and what it needs to know of it at
/// `AddressMap.deviceInformation`; the device reaches the memory of the server's clients, and `memory`. A VMM gives it
/// to its guest (`PCIDeviceKind.passthrough`) by system calls; the device reaches that guest's memory.
package struct DeviceRecord: BitwiseCopyable {
  package var domain: UInt32
  /// A `PCIDeviceKind`.
  package var kind: UInt32
  /// Where the device is, unless `isAny`.
  package var address: PCIAddress
  /// 1 if the first device of this kind that no other record names is meant.
  package var isAny: UInt32
  /// The region of kind `deviceMemory` that the domain has at `AddressMap.deviceMemory`; `noIndex` for a guest's.
  package var memory: UInt32
  /// The slot of the domain that the device's interrupt has: 0 to 15; of a guest's device, its number too.
  package var slot: UInt16
  /// 1 if the device may be used where no IOMMU keeps it to its memory.
  package var isUnprotected: UInt16 = 0
  /// The global system interrupt of the line of a guest's device; `noIndex` if it is to be found.
  package var line: UInt32 = DomainRecord.noIndex

  /// - Parameter address: `nil` for the first device of its kind.
  package init(domain: UInt32, kind: PCIDeviceKind, address: PCIAddress?, memory: UInt32, slot: UInt16) {
    self.domain = domain
    self.kind = kind.rawValue
    self.address = address ?? PCIAddress()
    isAny = address == nil ? 1 : 0
    self.memory = memory
    self.slot = slot
  }

  /// Device `number` of the guest of `domain`.
  package init(passthrough address: PCIAddress, domain: UInt32, number: UInt16) {
    self.init(domain: domain, kind: .passthrough, address: address, memory: DomainRecord.noIndex, slot: number)
  }
}

/// What every reader and writer of a boot image holds to.
package enum BootLimits {
  package static var domains: Int { 32 }
  package static var files: Int { 128 }
  package static var regions: Int { 256 }
  package static var mappings: Int { 512 }
  package static var guestMappings: Int { 64 }
  package static var channels: Int { 256 }
  package static var ports: Int { 64 }
  package static var interrupts: Int { 64 }
  package static var devices: Int { 16 }
  package static var cores: Int { 64 }
}
