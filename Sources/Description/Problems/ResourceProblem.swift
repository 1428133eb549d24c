// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the VMs' share of the computer.
package enum ResourceProblem: Equatable, Sendable {
  case noMachines
  case tooManyMachines(count: Int)
  case unevenMemory(UInt64)
  case tooLittleMemory(UInt64)
  case tooMuchMemory
  case memoryDoesNotFit(machine: String, asked: UInt64, left: UInt64, total: UInt64)
  case computerTooSmall(UInt64)
  case noCore(machine: String)
  case severalCores(machine: String, count: Int)
  case noSuchCore(Int, count: Int)

  var message: String {
    switch self {
    case .noMachines: "there is no VM; describe at least one under 'vms'"
    case .tooManyMachines(let count):
      "there are \(count) VMs, but the console reaches each by one digit, so \(Limits.machines) are the most; "
        + "remove \(count - Limits.machines)"
    case .unevenMemory(let size): uneven(size)
    case .tooLittleMemory(let size):
      "\(size: size) is too little for a Linux system; give at least \(size: Limits.leastMemory)"
    case .tooMuchMemory: "this is more than Roost can deal out; give at most \(size: Limits.mostMemory)"
    case .memoryDoesNotFit(let machine, let asked, let left, let total):
      "VM \(quoted: machine) asks for \(size: asked), but only \(size: left) are left of the computer's "
        + "\(size: total), of which Roost itself needs \(size: Limits.reserve); "
        + "give the VMs less, or raise 'memory' of 'machine'"
    case .computerTooSmall(let size):
      "a computer with \(size: size) has no room for a VM beside the \(size: Limits.reserve) that "
        + "Roost itself needs; give at least \(size: Limits.reserve + Limits.leastMemory)"
    case .noCore(let machine): "VM \(quoted: machine) has no core to run on; name one, like `cores: [0]`"
    case .severalCores(let machine, let count):
      "VM \(quoted: machine) asks for \(count) vCPUs, but this version gives each VM one; name one core, "
        + "like `cores: [0]`"
    case .noSuchCore(let core, let count):
      "the computer has no core \(core), since 'cores' of 'machine' is \(count); "
        + (count == 1 ? "use core 0" : "use one from 0 to \(count - 1)") + ", or raise that number"
    }
  }

  private func uneven(_ size: UInt64) -> String {
    let below = size - size % Limits.memoryUnit
    return "\(size: size) is not a multiple of \(size: Limits.memoryUnit); "
      + "write \(size: below) or \(size: below + Limits.memoryUnit)"
  }
}
