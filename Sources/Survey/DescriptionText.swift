// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

/// A system description that fits a machine, for people to go on from: its VMs are four at most and small.
package struct DescriptionText {
  /// MiB that Roost itself needs, by the rules of descriptions, and what Linux does not count.
  private static let reserve = 256
  private static let mostMachines = 4
  /// MiB of a VM: enough for Debian's 32-bit kernel, and what it can use.
  private static let machineMemory = 128...1900
  /// MiB that a description can say.
  private static let mostMemory = 512 << 10
  private static let diskLimit = 4
  private static let deviceLimit = 16
  private static let nameLimit = 23

  private let machine: MachineSurvey

  package init(_ machine: MachineSurvey) { self.machine = machine }

  /// The YAML.
  package var text: String {
    (heading + computer + console + disks + machines + devices).joined(separator: "\n") + "\n"
  }

  private var cores: Int {
    let threads = machine.firmware.topology?.processorCount ?? machine.processor.threads
    return min(max(threads, 1), MachineSurvey.mostCores)
  }

  /// Cores that are no second threads of others, as far as Linux says.
  private var wholeCores: Int {
    machine.processor.cores > 0 ? min(machine.processor.cores, cores) : cores
  }

  /// How many VMs there is room for, and MiB of each.
  private var rooms: (count: Int, memory: Int) {
    let free = machine.memory / 10 * 9 - Self.reserve
    let count = max(1, min(Self.mostMachines, wholeCores, free / Self.machineMemory.lowerBound))
    let memory = max(Self.machineMemory.lowerBound, min(Self.machineMemory.upperBound, free / count))
    return (count, memory / 2 * 2)
  }

  // MARK: - The parts

  private var heading: [String] {
    [
      "# A description for \(machine.product.isEmpty ? "this computer" : machine.product), made by 'roost probe'.",
      "# What follows a # is for you to read or to switch on; every key is explained in",
      "# Documentation/system-description.md. 'roost check' says whether your changes are right.",
      "#",
    ] + machine.findings.map { "#   " + $0.line } + ["", "name: \(name)"]
  }

  /// The product's name as names may be.
  private var name: String {
    let isFree = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) }
    var name = ""
    for byte in machine.product.lowercased().utf8 {
      if isFree(byte) { name.append(Character(UnicodeScalar(byte))) } else if name.last != "-" { name.append("-") }
    }
    let start = name.drop { !$0.isLetter }.prefix(Self.nameLimit)
    let trimmed = String(start.reversed().drop { $0 == "-" }.reversed())
    return trimmed.isEmpty ? "computer" : trimmed
  }

  private var computer: [String] {
    var lines = ["machine:", "  cores: \(cores)"]
    if cores > wholeCores { lines[1] += "  # threads, two or more on each of \(wholeCores) cores" }
    if machine.memory >= Self.reserve + Self.machineMemory.lowerBound {
      lines.append("  memory: \(min(machine.memory, Self.mostMemory)) MiB")
    }
    if machine.firmware.unitCount == 0 {
      lines.append("  # There is no IOMMU: remove the # if disks and devices are to be used all the same.")
      lines.append("  # unprotected-dma: true")
    } else if !machine.firmware.remapsInterrupts {
      lines.append("  # Interrupts are not remapped: remove the # if VMs are to have devices all the same.")
      lines.append("  # unprotected-dma: true")
    }
    return lines
  }

  private var console: [String] {
    guard let console = machine.serial.console else {
      return ["# No serial port was found. Roost has no other console.", "console: { uart: com1 }"]
    }
    return ["# \(console.reason)", "console: { uart: \(console.port.name)\(console.port.addition), baud: 115200 }"]
  }

  private var disks: [String] {
    let controllers = machine.bus.functions(.ahci).prefix(Self.diskLimit)
    var lines = ["switches: { lan: {} }"]
    guard !controllers.isEmpty else { return lines }
    lines.append("# A disk server drives the first drive of each controller.")
    lines.append("disks:")
    for (number, controller) in controllers.enumerated() {
      lines.append("  sata\(number): { driver: ahci, pci: \(controller.text) }  # \(machine.words(controller))")
    }
    return lines
  }

  private var machines: [String] {
    let (count, memory) = rooms
    let hasDisk = !machine.bus.functions(.ahci).isEmpty
    var lines = ["vms:"]
    for number in 0..<count {
      lines += [
        "  vm\(number):", "    memory: \(memory) MiB", "    cores: [\(number)]", "    kernel: debian:i386",
        "    initrd: guest:busybox", "    nics: [{ switch: lan }]",
      ]
      if hasDisk { lines.append("    # disks: [{ disk: sata0, partition: \(number + 1) }]") }
    }
    return lines
  }

  /// Devices for the last VM, switched off: what a VM has is nobody else's.
  private var devices: [String] {
    let all = (machine.bus.functions(.network) + machine.bus.functions(.nvme)).prefix(Self.deviceLimit)
    guard machine.firmware.unitCount > 0, !all.isEmpty else { return [] }
    var lines = ["    # Devices that a VM can have for itself; at most 4 of:", "    # devices:"]
    for device in all {
      var fields = "pci: \(device.text)"
      if case .known(let number) = machine.line(of: device) { fields += ", interrupt: \(number)" }
      lines.append("    #   - { \(fields) }  # \(machine.words(device))")
    }
    return lines
  }
}
