// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import BootReport
import CX86
import Firmware
import Speculation
import Synchronization
import X86

// From the boot loader to the first component:
//   read what the loader and the firmware say → own page tables → read the boot image → start the cores → make the
//   domains, each for a core that runs → report → release the cores, each of which starts its threads.
// What goes wrong on the way ends in a sentence on the UARTs, and on the screen if it shows text.

/// Where boot.S arrives: the loader's magic number and the address of its information.
@c(kernel_start)
func kernelStart(_ magic: UInt64, _ information: UInt64) {
  EarlyConsole.prepare()
  // Until it is known what the loader says of the screen: where there is none, nobody reads what is written.
  earlyScreen.use(BIOSDataArea(in: MachineMemory()).flatMap { TextScreen($0) })
  do throws(BootError) {
    try setUp(magic, PhysicalAddress(information))
  } catch {
    refuse(error)
  }
}

private func setUp(_ magic: UInt64, _ information: PhysicalAddress) throws(BootError) {
  var phases = BootPhases()
  phases.end("firmware and loader", at: cx86_rdtsc())
  let physical = MachineMemory()
  let loader = try readLoader(magic, information, physical)
  earlyScreen.use(loader.textScreen(in: physical))
  let options = readOptions(loader, physical)
  if options.isProbe { panicState.exitPort.store(0xf4, ordering: .relaxed) }
  log(.information, "Roost")
  if loader.isStartedByUEFI { log(.information, "UEFI leaves no text screen: this is on serial ports alone") }
  let masters = ConfigurationPorts().takeBus()
  let features = ProcessorFeatures()
  let support = try GuestSupport(features)
  let speculation = ProcessorSpeculation(.ofThisProcessor)

  var memory = BootMemory(loader.memoryMap)
  let (text, _, _, end) = KernelSpace.layout
  memory.map.reserve(start: DirectMap.physical(ofKernel: text), size: end - text)
  guard let lowPage = memory.map.allocateLow(size: 4096) else { throw .refused("there is no free page below 1 MiB") }
  try keepLog(&memory)
  let machine = try MachineDescription(
    rsdp: loader.rsdp, try MachineMemory(acpiOf: loader.memoryMap, from: &memory), features,
    wantsX2APIC: options.wantsX2APIC)
  listenToFirmware(machine, &memory)
  let dataArea = loader.isStartedByUEFI ? nil : BIOSDataArea(in: physical)
  let outside = try OutsideMemory(loader, machine, loader.textScreen(in: physical), lowPage: lowPage)
  let space = try KernelSpace.build(outside, from: &memory)
  MachineMemory.forgetHigh()
  cx86_write_cr3(space.root.value)
  let access = try busAccess(machine, masters: masters, memory)
  InterruptControllers.silenceOldControllers()
  if options.isProbe { try Probe.run(features, support, speculation, space, &memory) }
  phases.end("tables", at: cx86_rdtsc())
  let host = BootHost(
    machine: machine, features: features, support: support, speculation: speculation, dataArea: dataArea, space: space,
    access: access,
    starter: CoreStart(page: lowPage, mute: options.muteCores))
  try SystemSetup(loader, host, MachineMemory(outside), &phases, &memory).run(options)
}

extension OutsideMemory {
  /// The loader's modules, and the registers of the machine's controllers and screen.
  fileprivate init(
    _ loader: BootInformation, _ machine: MachineDescription, _ screen: TextScreen?, lowPage: PhysicalAddress
  ) throws(BootError) {
    self.init(loader, lowPage: lowPage)
    if let screen { try add(screen.memory) }
    var list = FixedList<64, PhysicalRange>()
    var isTooLong = false
    machine.eachRegisters { range in
      if (try? list.append(range, orSay: "")) == nil { isTooLong = true }
    }
    guard !isTooLong else { throw .refused("the machine has too many controllers") }
    for index in 0..<list.count { try add(list[index]) }
  }
}

/// Keeps what firmware itself goes on using: the serial port of its console is written to as well, and the memory that it
/// set aside for devices is nobody else's, even where its map calls that usable.
private func listenToFirmware(_ machine: MachineDescription, _ memory: inout BootMemory) {
  if let port = machine.redirection?.port {
    earlyPorts.keep(firmware: port)
    log(.information, "the firmware has its own console at port \(hex: port)")
  }
  var map = memory.map
  machine.remapping?.eachReservedRange { map.reserve(start: $0.start, size: $0.size, kind: .reserved) }
  memory.map = map
}

/// The way to all functions of PCI, now that the kernel has their windows.
/// - Parameter masters: How many functions were masters of the bus in the segment that the ports show.
private func busAccess(
  _ machine: MachineDescription, masters: Int, _ memory: borrowing BootMemory
) throws(BootError) -> BusAccess {
  guard let registers = memory.devices?.registers else { throw .refused("no registers are mapped") }
  let access = BusAccess(machine.windows, registers)
  let count = masters + access.takeBusOfOtherSegments()
  if count > 0 { log(.information, "PCI: firmware left masters of the bus, which now are none: \(count)") }
  return access
}

private func readLoader(
  _ magic: UInt64, _ information: PhysicalAddress, _ physical: borrowing MachineMemory
) throws(BootError) -> BootInformation {
  do throws(BootInformationError) {
    if UInt32(truncatingIfNeeded: magic) == BootInformation.multiboot2Magic {
      return try BootInformation(multiboot2: information, in: physical)
    }
    return try BootInformation(pvh: information, in: physical)
  } catch {
    throw .refused(error.sentence)
  }
}

private func readOptions(_ loader: BootInformation, _ physical: borrowing MachineMemory) -> KernelOptions {
  guard let line = loader.commandLine, let text = physical.bytes(at: line.start, count: line.size) else {
    return KernelOptions()
  }
  return KernelOptions(text)
}

/// From here on the log is kept for the console.
private func keepLog(_ memory: inout BootMemory) throws(BootError) {
  let ring = try memory.bytes(LogRing.size)
  kernelLog.keep(at: ring)
}
