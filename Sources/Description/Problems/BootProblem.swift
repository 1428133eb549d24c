// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the files a VM boots.
package enum BootProblem: Equatable, Sendable {
  case unknownSource(String, key: String, choices: String)
  case fileMissing(String, lookedFor: String)
  case fileUnreadable(String, reason: String)
  case notKernel(String, reason: String)
  case emptyInitrd(String)
  case filesDoNotFit(machine: String, size: UInt64, memory: UInt64)

  var message: String {
    switch self {
    case .unknownSource(let text, let key, let choices):
      "\(quoted: text) is not possible for \(quoted: key); write \(choices)"
    case .fileMissing(let path, let lookedFor):
      "there is no file \(quoted: path) (looked for \(lookedFor)); correct the path, "
        + "which starts at the folder of this description"
    case .fileUnreadable(let path, let reason): "\(quoted: path) cannot be read: \(reason); name a readable file"
    case .notKernel(let path, let reason):
      "\(quoted: path) is not a bzImage: \(reason); name the kernel of a Linux for x86, often called vmlinuz"
    case .emptyInitrd(let path): "\(quoted: path) is empty; name an initial RAM disk, or leave 'initrd' out"
    case .filesDoNotFit(let machine, let size, let memory):
      "the kernel and initrd of VM \(quoted: machine) take \(size: size) of its \(size: memory), which "
        + "leaves too little to unpack them; give it at least \(size: size * 2 + Limits.memoryUnit)"
    }
  }
}
