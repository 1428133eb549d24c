// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Machine

extension VirtualMachine {
  /// Puts the kernel into the guest's memory and the vCPU at its 32-bit entry.
  mutating func boot(_ configuration: VMMConfiguration) {
    clearMemory(configuration)
    let kernel = Memory.bytes(at: AddressMap.guestKernel, size: configuration.kernelSize)
    let initrd = Memory.bytes(at: AddressMap.guestInitrd, size: configuration.initrdSize)
    do throws(ACPIError) {
      load(kernel, initrd, rsdp: try ACPITables.write(FixedHardware(), to: pc.memory))
    } catch {
      stop("the guest's memory has no room for its ACPI tables")
    }
  }

  /// Leaves the guest nothing of what was in its memory before the VM was switched on. By now servers and devices have let
  /// go of the memory, and nothing has been put there.
  private func clearMemory(_ configuration: VMMConfiguration) {
    let mark = Mapped<GuestMemoryMark>.guestMemoryMark
    guard mark.value.isGuests == 0 else { return }
    Memory.clearGuest(configuration)
    mark.value.isGuests = 1
  }

  private func load(_ kernel: RawSpan, _ initrd: RawSpan, rsdp: GuestAddress) {
    let line = Memory.bytes(
      at: AddressMap.configuration + UInt64(VMMConfiguration.commandLineOffset),
      size: UInt64(VMMConfiguration.commandLineCapacity))
    var count = 0
    while let byte = line.load(count, as: UInt8.self), byte != 0 { count += 1 }
    guard let text = line.slice(0, count: count) else { stop("the configuration holds no command line") }
    do throws(LinuxBootError) {
      enter(
        try LinuxBoot.load(
          kernel: kernel, initrd: initrd, commandLine: text, rsdp: rsdp, randomness: Randomness.number, into: pc.memory)
      )
    } catch {
      stop(error.sentence)
    }
  }

  /// 32-bit protected mode, flat, without paging, interrupts off.
  private func enter(_ entry: EntryState) {
    var state = VirtualCPUState()
    state.tscOffset = cpu.value.tscOffset
    state.cr0 = 0x11
    state.rip = UInt64(entry.entryPoint)
    state.registers.rsp = UInt64(entry.stackTop)
    state.registers.rsi = UInt64(entry.bootParameters)
    let data = Segment(selector: entry.dataSelector, attributes: 0xc93, limit: 0xffff_ffff)
    state.segments.cs = Segment(selector: entry.codeSelector, attributes: 0xc9b, limit: 0xffff_ffff)
    state.segments.ds = data
    state.segments.es = data
    state.segments.ss = data
    state.segments.fs = data
    state.segments.gs = data
    state.segments.gdtr = Segment(limit: UInt32(entry.gdtLimit), base: UInt64(entry.gdtBase))
    state.segments.idtr = Segment(limit: 0)
    state.segments.ldtr = Segment(attributes: 0x82)
    state.segments.tr = Segment(attributes: 0x8b)
    state.segmentsChanged = 1
    cpu.value = state
  }
}
