// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Survey

/// A machine as Linux shows it, put together by hand.
struct SavedMachine {
  private(set) var files = MachineFiles()

  /// A file that holds text.
  mutating func add(_ path: String, _ text: String) { files[path] = Array((text + "\n").utf8) }

  mutating func set(_ path: String, _ bytes: [UInt8]?) { files[path] = bytes }

  /// The processors, one paragraph for each thread.
  ///
  /// - Parameter numbers: Family, model and stepping.
  mutating func addProcessors(
    vendor: String, model: String, numbers: (Int, Int, Int) = (6, 158, 10), cores: Int, threads: Int, flags: String,
    vmx: String = ""
  ) {
    var text = ""
    for number in 0..<threads {
      text += "processor\t: \(number)\nvendor_id\t: \(vendor)\n"
      text += "cpu family\t: \(numbers.0)\nmodel\t\t: \(numbers.1)\nstepping\t: \(numbers.2)\nmodel name\t: \(model)\n"
      text += "physical id\t: 0\n"
      text += "core id\t\t: \(number % cores)\nflags\t\t: fpu tsc \(flags)\n"
      if !vmx.isEmpty { text += "vmx flags\t: \(vmx)\n" }
      text += "\n"
    }
    add("proc/cpuinfo", text)
  }

  /// What Linux made of the processor's weaknesses, by its names for them; of all others that it knows it says that the
  /// processor does not have them.
  mutating func addWeaknesses(_ known: [String: String]) {
    let names = [
      "gather_data_sampling", "indirect_target_selection", "itlb_multihit", "l1tf", "mds", "meltdown",
      "mmio_stale_data",
      "reg_file_data_sampling", "retbleed", "spec_rstack_overflow", "spec_store_bypass", "spectre_v1", "spectre_v2",
      "srbds", "tsa", "tsx_async_abort",
    ]
    for name in names { add("sys/devices/system/cpu/vulnerabilities/\(name)", known[name] ?? "Not affected") }
  }

  /// A function; with `buses`, a bridge.
  mutating func addFunction(
    _ address: String, _ id: (UInt16, UInt16), code: UInt32, pin: UInt8 = 0, irq: Int = 0,
    buses: ClosedRange<UInt8>? = nil, group: Int? = nil
  ) {
    var space = bytes(id.0) + bytes(id.1) + [0, 0, 0, 0] + bytes(code << 8) + [0, 0]
    space += [buses == nil ? 0 : 1, 0] + [UInt8](repeating: 0, count: 48)
    if let buses { space.replaceSubrange(0x18..<0x1b, with: [0, buses.lowerBound, buses.upperBound]) }
    space[0x3d] = pin
    let folder = "sys/bus/pci/devices/0000:\(address)"
    files["\(folder)/config"] = space
    add("\(folder)/irq", "\(irq)")
    if let group { files["sys/kernel/iommu_groups/\(group)/devices/0000:\(address)"] = [] }
  }

  /// An interrupt as Linux manages it.
  mutating func addInterrupt(_ number: Int, chip: String, pin: Int) {
    add("sys/kernel/irq/\(number)/chip_name", chip)
    add("sys/kernel/irq/\(number)/hwirq", "\(pin)")
  }

  mutating func addSerial(_ number: Int, port: UInt64, type: Int = 4, interrupt: Int? = nil) {
    add("sys/class/tty/ttyS\(number)/port", "0x" + String(port, radix: 16, uppercase: true))
    add("sys/class/tty/ttyS\(number)/type", "\(type)")
    if let interrupt { add("sys/class/tty/ttyS\(number)/irq", "\(interrupt)") }
  }

  /// An ACPI table: its header, with a sound checksum, and `body` behind it.
  mutating func addTable(_ signature: String, _ body: [UInt8]) {
    var table = Array(signature.utf8) + bytes(UInt32(36 + body.count)) + [UInt8](repeating: 0, count: 28) + body
    table[9] = 0 &- table.reduce(0, &+)
    files["sys/firmware/acpi/tables/\(signature)"] = table
  }
}

// MARK: - Tables

/// Little-endian bytes of a number.
func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
}

/// A MADT's body (ACPI 6.5, §5.2.12).
func madt(processors: Int, ioapics: [(id: UInt8, address: UInt32, base: UInt32)]) -> [UInt8] {
  var body = bytes(UInt32(0xfee0_0000)) + bytes(UInt32(1))
  for number in 0..<UInt8(processors) { body += [0, 8, number, number, 1, 0, 0, 0] }
  for ioapic in ioapics {
    body += [1, 12, ioapic.id, 0]
    body += bytes(ioapic.address) + bytes(ioapic.base)
  }
  return body
}

/// A DMAR's body (VT-d 4.1, §8).
func dmar(_ units: [(flags: UInt8, base: UInt64, scopes: [[UInt8]])]) -> [UInt8] {
  var body: [UInt8] = [45, 1] + [UInt8](repeating: 0, count: 10)
  for unit in units {
    let scopes = Array(unit.scopes.joined())
    body += [0, 0] + bytes(UInt16(16 + scopes.count))
    body += [unit.flags, 0, 0, 0] + bytes(unit.base)
    body += scopes
  }
  return body
}

/// A scope: an endpoint (1), a bridge (2) or an I/O APIC (3).
func scope(_ type: UInt8, _ bus: UInt8, _ device: UInt8, _ function: UInt8, id: UInt8 = 0) -> [UInt8] {
  [type, 8, 0, 0, id, bus, device, function]
}

/// An IVRS's body (AMD I/O Virtualization 3.08, §5.2).
func ivrs(_ units: [(base: UInt64, entries: [[UInt8]])]) -> [UInt8] {
  var body = [UInt8](repeating: 0, count: 12)
  for unit in units {
    let entries = Array(unit.entries.joined())
    body += [0x10, 0] + bytes(UInt16(24 + entries.count))
    body += [2, 0, 0x40, 0] + bytes(unit.base)
    body += [UInt8](repeating: 0, count: 8) + entries
  }
  return body
}

/// An MCFG's body: one segment at 2 GiB.
func mcfg() -> [UInt8] {
  [UInt8](repeating: 0, count: 8) + bytes(UInt64(0x8000_0000)) + [0, 0, 0, 255, 0, 0, 0, 0]
}
