// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// All PCI functions, in the order of their addresses.
struct BusSurvey: Sendable {
  /// More than any machine has.
  private static let limit = 4096

  private(set) var functions: [FunctionSurvey] = []
  /// How many groups Linux has made; 0 if it does not use an IOMMU.
  private(set) var groupCount = 0

  init(_ files: MachineFiles) {
    let names = files.names(in: "sys/bus/pci/devices").prefix(Self.limit)
    functions = names.compactMap { FunctionSurvey($0, files) }.sorted { $0.address.order < $1.address.order }
    let groups = groups(files)
    groupCount = Set(groups.values).count
    for index in functions.indices { functions[index].group = groups[functions[index].address.order] }
  }

  private func groups(_ files: MachineFiles) -> [UInt32: Int] {
    var groups: [UInt32: Int] = [:]
    let folder = "sys/kernel/iommu_groups"
    for name in files.names(in: folder) {
      guard let number = Int(name) else { continue }
      for member in files.names(in: "\(folder)/\(name)/devices") {
        if let address = FunctionAddress(text: member) { groups[address.order] = number }
      }
    }
    return groups
  }

  func functions(_ kind: FunctionSurvey.Kind) -> [FunctionSurvey] { functions.filter { $0.kind == kind } }

  /// The bus behind the bridge at `address`.
  func secondaryBus(_ address: FunctionAddress) -> UInt8? {
    functions.first { $0.address == address }?.buses?.lowerBound
  }

  /// The function and the bridges that lead to it.
  func path(to function: FunctionSurvey) -> [FunctionAddress] {
    let bridges = functions.filter { bridge in
      bridge.address.segment == function.address.segment && bridge.buses?.contains(function.address.bus) == true
    }
    return [function.address] + bridges.map(\.address)
  }

  /// Buses that no bridge leads to.
  var roots: [(segment: UInt16, bus: UInt8)] {
    var roots: [(segment: UInt16, bus: UInt8)] = []
    for address in functions.map(\.address) {
      guard roots.last.map({ $0 != (address.segment, address.bus) }) ?? true else { continue }
      let isBehind = functions.contains { bridge in
        bridge.address.segment == address.segment && bridge.buses?.contains(address.bus) == true
      }
      if !isBehind { roots.append((address.segment, address.bus)) }
    }
    return roots
  }

  /// The others that share a group with it, bridges left out: they stay with the kernel.
  func companions(of function: FunctionSurvey) -> [FunctionSurvey] {
    guard let group = function.group else { return [] }
    return functions.filter { $0.group == group && $0.address != function.address && $0.kind != .bridge }
  }
}
