// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Speculation

/// What /proc/cpuinfo says of the processors.
struct ProcessorSurvey: Sendable {
  enum Vendor: Sendable {
    case amd, intel, other
  }

  private(set) var vendor = Vendor.other
  private(set) var model = "unknown"
  /// Processors as Linux counts them, threads of a core included.
  private(set) var threads = 0
  /// Cores; 0 if Linux does not say.
  private(set) var cores = 0
  private var flags: Set<String> = []
  /// Family, model and stepping, as CPUID has them.
  private var numbers: [Substring: UInt32] = [:]
  private var virtualisationFlags: Set<String>?

  init(_ files: MachineFiles) {
    var places: Set<String> = []
    var package = ""
    for line in (files.text("proc/cpuinfo") ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { Self.trim($0) }
      guard let key = parts.first else { continue }
      let value = parts.count == 2 ? parts[1] : ""
      switch key {
      case "processor": threads += 1
      case "vendor_id": vendor = value == "AuthenticAMD" ? .amd : value == "GenuineIntel" ? .intel : .other
      case "model name": model = value.printable
      case "physical id": package = value
      case "cpu family", "model", "stepping": numbers[Substring(key)] = UInt32(value)
      case "core id": places.insert("\(package).\(value)")
      case "flags": flags = Set(value.split(separator: " ").map(String.init))
      case "vmx flags": virtualisationFlags = Set(value.split(separator: " ").map(String.init))
      default: break
      }
    }
    cores = places.count
  }

  private static func trim(_ text: Substring) -> String {
    let isSpace = { (character: Character) in character == " " || character == "\t" }
    return String(String(text.drop(while: isSpace).reversed().drop(while: isSpace)).reversed())
  }

  func has(_ flag: String) -> Bool { flags.contains(flag) }

  /// Which processor it is, as lists of weaknesses name it; `nil` if Linux does not say.
  var identity: ProcessorIdentity? {
    guard let family = numbers["cpu family"], let model = numbers["model"] else { return nil }
    let maker: ProcessorIdentity.Vendor =
      switch vendor {
      case .amd: .amd
      case .intel: .intel
      case .other: .other
      }
    return ProcessorIdentity(maker, family: family, model: model, stepping: numbers["stepping"] ?? 0)
  }

  /// Whether this Linux is itself in a virtual machine.
  var isVirtual: Bool { has("hypervisor") }

  /// What is wrong with the processor's virtualisation; `nil` if it will do.
  var virtualisationProblem: String? {
    switch vendor {
    case .amd:
      guard has("svm") else { return "no AMD SVM: look for 'SVM' or 'virtualization' in the firmware's set-up" }
      return has("npt") ? nil : "AMD SVM without nested paging: the processor is too old"
    case .intel:
      guard has("vmx") else { return "no Intel VMX: look for 'VMX' or 'virtualization' in the firmware's set-up" }
      guard has("ept") else { return "Intel VMX without EPT: the processor is too old" }
      let isUnrestricted = virtualisationFlags?.contains("unrestricted_guest") ?? true
      return isUnrestricted ? nil : "Intel VMX without unrestricted guests: the processor is too old"
    case .other: return "neither AMD's nor Intel's virtualisation is known of it"
    }
  }

  var virtualisation: String { vendor == .amd ? "AMD SVM with nested paging" : "Intel VMX with EPT" }
}
