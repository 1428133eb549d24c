// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

extension MachineSurvey {
  /// Cores that Roost can use (as its boot image counts them).
  static let mostCores = Topology.processorCapacity

  /// What there is to say, in the order in which people ask.
  package var findings: [Finding] {
    [machine, virtualisation, cores] + speculation.findings + [memoryFinding] + tables + [controllers, iommu]
      + remapping + groups
      + [configuration] + drives + cards + [serialPorts]
  }

  /// Whether Roost would run.
  package var isFit: Bool { !findings.contains { $0.grade == .unfit } }

  private var machine: Finding {
    let name = product.isEmpty ? "the firmware does not name it" : product
    let firmware = version.isEmpty ? "" : ", firmware \(version)"
    let virtual = processor.isVirtual ? "; this Linux is in a virtual machine" : ""
    return Finding(processor.isVirtual ? .note : .fit, "machine", name + firmware + virtual)
  }

  private var virtualisation: Finding {
    if let problem = processor.virtualisationProblem {
      return Finding(.unfit, "processor", "\(processor.model): \(problem)")
    }
    return Finding(.fit, "processor", "\(processor.model): \(processor.virtualisation)")
  }

  private var cores: Finding {
    let threads = firmware.topology.map { $0.processorCount + $0.ignoredProcessors } ?? processor.threads
    guard threads > 0 else { return Finding(.unfit, "cores", "neither the firmware nor Linux names any") }
    let places = processor.cores
    let text = places > 0 && places < threads ? "\(threads) on \(Self.count(places, "core"))" : "\(threads)"
    guard threads <= Self.mostCores else {
      return Finding(.note, "cores", "\(text); Roost uses the first \(Self.mostCores)")
    }
    return Finding(.fit, "cores", text)
  }

  private var memoryFinding: Finding {
    guard memory > 0 else { return Finding(.unfit, "memory", "Linux does not say how much there is") }
    return Finding(memory < 192 ? .unfit : .fit, "memory", "\(memory) MiB")
  }

  private var tables: [Finding] {
    firmware.problems.map { text in
      Finding(text.contains(" APIC ") || text.contains("RSD") ? .unfit : .note, "firmware", text)
    }
  }

  private var controllers: Finding {
    let all = firmware.ioapics
    guard firmware.topology != nil else {
      return Finding(.unfit, "interrupts", "there is no MADT, or it cannot be read; are you root?")
    }
    guard !all.isEmpty else { return Finding(.unfit, "interrupts", "there is no I/O APIC") }
    let lines = all.map(\.gsiBase).map(String.init).joined(separator: ", ")
    return Finding(.fit, "interrupts", "\(Self.count(all.count, "I/O APIC")), with lines from \(lines)")
  }

  private var iommu: Finding {
    guard firmware.unitCount > 0 else {
      return Finding(
        .note, "IOMMU",
        "none: VMs' devices and disks need 'unprotected-dma'; look for 'VT-d', 'AMD-Vi' or 'IOMMU' in the "
          + "firmware's set-up")
    }
    let kind = firmware.intel != nil ? "Intel VT-d" : "AMD-Vi"
    return Finding(.fit, "IOMMU", "\(kind), \(Self.count(firmware.unitCount, "unit"))")
  }

  private var remapping: [Finding] {
    guard firmware.unitCount > 0 else { return [] }
    let isThere = firmware.remapsInterrupts
    return [
      Finding(
        isThere ? .fit : .note, "remapping",
        isThere
          ? "interrupts of devices are remapped"
          : "interrupts of devices are not remapped: VMs' devices need 'unprotected-dma'; look for "
            + "'interrupt remapping' or 'x2APIC' in the firmware's set-up")
    ]
  }

  private var groups: [Finding] {
    guard firmware.unitCount > 0 else { return [] }
    guard bus.groupCount > 0 else {
      return [
        Finding(
          .note, "groups", "Linux does not use the IOMMU: boot it with 'intel_iommu=on' or 'amd_iommu=on' to see them")
      ]
    }
    return [Finding(.fit, "groups", "\(bus.groupCount)")]
  }

  private var configuration: Finding {
    let roots = Self.count(bus.roots.count, "PCI root") + ", " + Self.count(bus.functions.count, "function")
    let windows = firmware.windows?.count ?? 0
    guard windows > 0 else { return Finding(.note, "PCI", "\(roots); no MCFG table, so segment 0 alone is seen") }
    return Finding(bus.functions.isEmpty ? .note : .fit, "PCI", roots)
  }

  private var drives: [Finding] {
    let ahci = bus.functions(.ahci)
    let sata =
      ahci.isEmpty
      ? [Finding(.note, "disks", "no AHCI controller: VMs can have image files and devices of their own only")]
      : ahci.map { Finding(.fit, "disks", "SATA, AHCI: \(words($0))") }
    return sata + bus.functions(.nvme).map { Finding(.note, "disks", "NVMe, for one VM as a device: \(words($0))") }
  }

  private var cards: [Finding] { bus.functions(.network).map { Finding(.fit, "network", words($0)) } }

  private var serialPorts: Finding {
    guard let console = serial.console else {
      return Finding(.unfit, "serial", "no UART with I/O ports: nobody would see or type anything")
    }
    let ports = serial.ports.map { $0.name.hasPrefix("com") ? $0.name.uppercased() : $0.name }.joined(separator: ", ")
    return Finding(.fit, "serial", "\(ports); the console is \(console.port.name): \(console.reason)")
  }

  // MARK: - Words

  /// A function in words: address, identity, group and line.
  func words(_ function: FunctionSurvey) -> String {
    let companions = bus.companions(of: function)
    let group =
      function.group == nil
      ? ""
      : companions.isEmpty
        ? ", alone in its group" : ", in a group with \(companions.map(\.text).joined(separator: " "))"
    let line =
      switch line(of: function) {
      case .none: ", no line"
      case .known(let number): ", GSI \(number)"
      case .among(let numbers): ", GSI \(numbers.map(String.init).joined(separator: " or "))"
      case .unknown: ""
      }
    return "\(function.text) (\(function.identity))\(group)\(line)"
  }

  static func count(_ number: Int, _ noun: String) -> String { number == 1 ? "1 \(noun)" : "\(number) \(noun)s" }
}
