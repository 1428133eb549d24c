// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension System {
  /// What is right, and may still not be what was meant: a sentence for each.
  package var notes: [String] {
    machines.compactMap { machine in
      guard case .file(let path) = machine.kernel, case .busybox(let architecture) = machine.initrd else { return nil }
      return "VM \(quoted: machine.name): guest:busybox has the modules of debian:\(architecture.rawValue) and none "
        + "for \(path): what that needs of drivers must be built into it, or name an initrd of its own"
    }
  }
}
