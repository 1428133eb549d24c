// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What the first vCPU holds when it enters the kernel: 32-bit protected mode without paging, interrupts off, flat
/// segments (Linux, boot protocol, "32-bit Boot Protocol"); EBP, EDI and EBX are zero.
package struct EntryState: Equatable, Sendable {
  /// EIP.
  package var entryPoint: UInt32
  /// ESP: Linux brings its own stack; a program of a few instructions that is loaded like it may push at once.
  package var stackTop: UInt32
  /// ESI: where `boot_params` is.
  package var bootParameters: UInt32
  /// The descriptor table that the selectors below mean.
  package var gdtBase: UInt32
  package var gdtLimit: UInt16
  /// CS: execute/read, from 0, 4 GiB.
  package var codeSelector: UInt16
  /// DS, ES and SS: read/write, from 0, 4 GiB.
  package var dataSelector: UInt16
}

/// Puts a Linux kernel into a guest's memory as a boot loader would, and says how to enter it.
///
/// The kernel's file and the initial RAM disk come from outside: each of their offsets and lengths is a claim until
/// checked against the file and against the guest's memory.
package enum LinuxBoot {
  /// Where the loader's own things are, all in conventional memory.
  static var gdtAddress: UInt64 { 0x1000 }
  /// Below the parameters, with 20 KiB down to the descriptors' page.
  static var stackTop: UInt64 { parametersAddress }
  static var parametersAddress: UInt64 { 0x7000 }
  static var parametersSize: UInt64 { 4096 }
  static var commandLineAddress: UInt64 { 0x2_0000 }

  /// Loads `kernel` (a bzImage, or a kernel that `roost` unpacked) and `initrd` (empty if there is none), and tells the
  /// kernel of both, of `commandLine` (without a final zero) and of the ACPI tables at `rsdp`.
  /// - Parameter randomness: What decides where an unpacked kernel goes, if it is one that may go anywhere.
  package static func load(
    kernel file: borrowing RawSpan, initrd: borrowing RawSpan, commandLine: borrowing RawSpan,
    rsdp: GuestAddress, randomness: UInt64, into memory: GuestMemory
  ) throws(LinuxBootError) -> EntryState {
    let kernel = try GuestKernel(inspecting: file)
    let setup = kernel.setup
    guard memory.low.size >= 2 * .MiB, memory.low.end <= MemoryMap.lowLimit else { throw .badMemorySize }
    guard UInt64(commandLine.byteCount) <= setup.commandLineLimit,
      fits(commandLineAddress, count: UInt64(commandLine.byteCount) + 1, in: MemoryMap.conventionalEnd)
    else { throw .commandLineTooLong }
    let start = try KernelPlacement.lowest(for: kernel, in: memory.low)
    let initrdAddress = try place(
      initrdSize: UInt64(initrd.byteCount), above: start + kernel.runtimeSize, kernel.setup, in: memory)
    let placement = KernelPlacement(
      of: kernel, from: start, below: initrd.isEmpty ? memory.low.end : initrdAddress, commandLine: commandLine,
      randomness: randomness)

    try kernel.write(from: file, at: placement.base, to: memory)
    do throws(GuestMemoryError) {
      try memory.write(initrd, at: GuestAddress(initrdAddress))
      try memory.write(commandLine, at: GuestAddress(commandLineAddress))
      try memory.write(UInt8(0), at: GuestAddress(commandLineAddress + UInt64(commandLine.byteCount)))
      try writeDescriptors(to: memory)
      try writeParameters(of: kernel, from: file, isRandomlyPlaced: placement.isRandom, to: memory)
      try set(.initrdAddress, UInt32(initrdAddress), in: memory)
      try set(.initrdSize, UInt32(initrd.byteCount), in: memory)
      try set(.rsdp, rsdp.value, in: memory)
      try writeMemoryMap(to: memory)
    } catch { throw .badMemorySize }
    return EntryState(
      entryPoint: UInt32(placement.base + kernel.entry), stackTop: UInt32(stackTop),
      bootParameters: UInt32(parametersAddress), gdtBase: UInt32(gdtAddress), gdtLimit: 0x1f,
      codeSelector: 0x10, dataSelector: 0x18)
  }

  /// Writes `boot_params` with the kernel's own setup header, and what every loader says in it.
  private static func writeParameters(
    of kernel: GuestKernel, from file: borrowing RawSpan, isRandomlyPlaced: Bool, to memory: GuestMemory
  ) throws(GuestMemoryError) {
    try memory.fill(GuestAddress(parametersAddress), count: parametersSize)
    let start = kernel.setupOffset + 0x1f1
    if let header = file.slice(Int(start), count: Int(kernel.setup.headerEnd) - 0x1f1) {
      try memory.write(header, at: GuestAddress(parametersAddress + 0x1f1))
    }
    try set(.loaderType, 0xff, in: memory)  // a loader without a number of its own
    try set(.videoMode, 0xffff, in: memory)  // "normal", though there is none
    try set(.commandLine, UInt32(commandLineAddress), in: memory)
    var flags = LoadFlags(
      rawValue: try memory.read(GuestAddress(parametersAddress + UInt64(BootField<UInt8>.loadFlags.offset))))
    flags.set(.isRandomlyPlaced, to: isRandomlyPlaced)
    try set(.loadFlags, flags.rawValue, in: memory)
  }

  /// Where a 32-bit kernel's direct mapping surely reaches: what lies above it would copy down before use.
  private static var directMapEnd: UInt64 { 864 * .MiB }

  /// Where the initial RAM disk goes: as high as it may; 0 if there is none.
  private static func place(
    initrdSize size: UInt64, above kernelEnd: UInt64, _ setup: LinuxKernel, in memory: GuestMemory
  ) throws(LinuxBootError) -> UInt64 {
    guard size > 0 else { return 0 }
    let limit = min(setup.initrdLimit, memory.low.end)
    let near = setup.is64Bit ? limit : min(limit, directMapEnd)
    guard let address = highest(size, below: near, above: kernelEnd) ?? highest(size, below: limit, above: kernelEnd)
    else { throw .initrdTooBig }
    return address
  }

  /// The highest page-aligned place of `size` bytes between two addresses.
  private static func highest(_ size: UInt64, below limit: UInt64, above start: UInt64) -> UInt64? {
    guard size <= limit else { return nil }
    let address = (limit - size).roundedDown(to: 4096)
    return address >= start ? address : nil
  }

  /// `__BOOT_CS` (0x10) and `__BOOT_DS` (0x18): flat, 4 GiB, accessed.
  private static func writeDescriptors(to memory: GuestMemory) throws(GuestMemoryError) {
    try memory.fill(GuestAddress(gdtAddress), count: 16)
    try memory.write(UInt64(0x00cf_9b00_0000_ffff), at: GuestAddress(gdtAddress + 0x10))
    try memory.write(UInt64(0x00cf_9300_0000_ffff), at: GuestAddress(gdtAddress + 0x18))
  }

  private static func set<Value>(
    _ field: BootField<Value>, _ value: Value, in memory: GuestMemory
  ) throws(GuestMemoryError) {
    try memory.write(value, at: GuestAddress(parametersAddress + UInt64(field.offset)))
  }
}

// MARK: - The memory map

extension LinuxBoot {
  /// What a range of the memory map is (ACPI 6.4, table 15.374).
  private enum RangeKind: UInt32 {
    case memory = 1
    case reserved = 2
  }

  /// Writes the memory map a PC's firmware would give (`e820_table`).
  private static func writeMemoryMap(to memory: GuestMemory) throws(GuestMemoryError) {
    var count: UInt8 = 0
    func add(_ start: UInt64, to end: UInt64, _ kind: RangeKind) throws(GuestMemoryError) {
      guard end > start else { return }
      let entry = parametersAddress + 0x2d0 + UInt64(count) * 20
      try memory.write(start, at: GuestAddress(entry))
      try memory.write(end - start, at: GuestAddress(entry + 8))
      try memory.write(kind.rawValue, at: GuestAddress(entry + 16))
      count += 1
    }
    try add(0, to: MemoryMap.conventionalEnd, .memory)
    try add(MemoryMap.conventionalEnd, to: MemoryMap.baseEnd, .reserved)
    try add(MemoryMap.firmwareStart, to: MemoryMap.firmwareEnd, .reserved)
    // What lies between conventional memory and direct-mapped memory is for no operating system.
    let start = memory.low.isDirectMapped ? memory.low.bodyStart : MemoryMap.extendedStart
    try add(start, to: memory.low.end, .memory)
    try add(GuestMemory.highStart, to: GuestMemory.highStart + memory.highSize, .memory)
    try set(.e820Count, count, in: memory)
  }
}
