// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the entries of `switches`.
struct SwitchReader {
  /// Cores of the computer; `nil` if the description leaves them open.
  let cores: Int?
  /// The entries of `vms`, whose names no switch may have: both are domains.
  let machines: [Value.Entry]

  /// The switch of an entry; `nil` if something about it is wrong.
  func read(_ entry: Value.Entry, _ report: inout Report) -> VirtualSwitch? {
    let name = report.domainName(entry.key, of: "switch", at: entry.place)
    if let machine = machines.first(where: { $0.key == entry.key }) {
      report.add(.network(.sameNameAsMachine(entry.key, machineLine: machine.place.line)), at: entry.place)
    }
    let isMap = report.check(
      entry.value, is: .section(.virtualSwitch), subject: "\(quoted: entry.key)", example: "lan: {}",
      keyPlace: entry.place)
    guard isMap else { return nil }
    let fields = report.fields(
      of: entry.value, as: .virtualSwitch, owner: "switch \(quoted: entry.key)", at: entry.place)
    let core = fields[.switchCore].map { report.core($0, of: .switchCore, count: cores) } ?? 0
    let ageing = fields[.ageing].map { report.number($0, in: Limits.ageing, of: .ageing) } ?? 300
    guard let name, let core, let ageing else { return nil }
    return VirtualSwitch(name: name, core: core, ageing: ageing)
  }
}
