// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a boot loader told of the machine, in words of no boot protocol.
///
/// Everything the loader handed over (its structures, the modules, the command line) is already reserved in
/// `memoryMap`; the kernel's own place in memory is not, since only the kernel knows it.
package struct BootInformation {
  /// Modules a loader may hand over; the first two are used, all are reserved.
  package static var moduleCapacity: Int { 16 }
  /// Bytes of a command line; what is longer is cut.
  package static var commandLineCapacity: UInt64 { 1 * .KiB }
  /// Memory map entries that are read: more than any firmware has.
  static var entryCapacity: UInt64 { 1024 }

  package internal(set) var memoryMap = MemoryMap()
  /// The first module: the boot image, or its part that is the system.
  package internal(set) var bootImage: PhysicalRange?
  /// The second module: the boot image's material, if it is not in the first.
  package internal(set) var material: PhysicalRange?
  /// The command line, its final zero not included.
  package internal(set) var commandLine: PhysicalRange?
  /// The ACPI root pointer or a copy of it.
  package internal(set) var rsdp: PhysicalAddress?
  /// Whether UEFI started the loader, and no BIOS.
  package internal(set) var isStartedByUEFI = false
  /// What the loader says of the screen.
  var screen = LoaderScreen.unknown

  init() {}

  /// Takes a module, the next in the loader's order; one that is empty or wraps is an error.
  mutating func addModule(start: UInt64, size: UInt64, index: Int) throws(BootInformationError) {
    guard index < Self.moduleCapacity else { throw .tooManyModules }
    guard size > 0, fits(start, count: size, in: MemoryMap.end) else { throw .badModule }
    let range = PhysicalRange(start: PhysicalAddress(start), size: size)
    if index == 0 { bootImage = range }
    if index == 1 { material = range }
    memoryMap.reserve(start: range.start, size: range.size)
  }

  /// Takes the text at `start`, up to its zero or `limit` bytes.
  mutating func addCommandLine<M: PhysicalMemory & ~Copyable>(
    start: PhysicalAddress, limit: UInt64 = BootInformation.commandLineCapacity, in memory: borrowing M
  ) {
    var size: UInt64 = 0
    while size < min(limit, Self.commandLineCapacity), let byte = memory.load(start + size, as: UInt8.self), byte != 0 {
      size += 1
    }
    guard size > 0 else { return }
    commandLine = PhysicalRange(start: start, size: size)
    memoryMap.reserve(start: start, size: size)
  }
}

/// Why a loader's information was refused.
package enum BootInformationError: Error, Equatable, Sendable {
  case unreadable
  case badMagic
  case badSize
  case badTag
  case badModule
  case tooManyModules
  case noMemoryMap
  case badMemoryMap

  /// The sentence that people read.
  package var sentence: StaticString {
    switch self {
    case .unreadable: "the boot loader's information lies where no memory can be read"
    case .badMagic: "the boot loader's information does not start with its magic number"
    case .badSize: "the boot loader's information has an impossible size"
    case .badTag: "a tag of the boot loader's information does not fit into it"
    case .badModule: "a boot module is empty or lies outside the address space"
    case .tooManyModules: "the boot loader handed over more than 16 modules"
    case .noMemoryMap: "the boot loader handed over no memory map"
    case .badMemoryMap: "the boot loader's memory map has entries of an impossible size or number"
    }
  }
}
