// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The ELF files that make up Roost itself.
package struct Programs: Sendable {
  /// The kernel is loaded beside the image; the image only carries its symbols.
  package var kernel: [UInt8]
  package var vmm: [UInt8]
  package var console: [UInt8]
  /// Packed only into the image of a system that has a switch; without one, it may be empty.
  package var switchServer: [UInt8]
  /// Packed only into the image of a system that has a disk.
  package var diskServer: [UInt8]

  package init(
    kernel: [UInt8], vmm: [UInt8], console: [UInt8], switchServer: [UInt8] = [], diskServer: [UInt8] = []
  ) {
    self.kernel = kernel
    self.vmm = vmm
    self.console = console
    self.switchServer = switchServer
    self.diskServer = diskServer
  }
}

/// What a VM boots.
package struct GuestBoot: Sendable {
  /// A bzImage, or what `GuestMaterial` unpacked of one.
  package var kernel: [UInt8]
  /// The pieces of the initial RAM disk, which Linux unpacks one after another.
  ///
  /// Each starts on a page, with zeros before it (which Linux skips), so that VMs can share the pieces they have in
  /// common; none if the VM has no initial RAM disk.
  package var initrd: [[UInt8]]

  package init(kernel: [UInt8], initrd: [[UInt8]] = []) {
    self.kernel = kernel
    self.initrd = initrd
  }
}

/// Why no image could be made.
package enum PackingError: Error, Equatable, CustomStringConvertible {
  /// A program of Roost is not the ELF file it should be.
  case badProgram(String, ELFFileError)
  /// A guest's kernel or initial RAM disk is larger than the address space kept for it.
  case tooLarge(machine: String)
  /// The system needs more entries in a table of the image than a kernel takes.
  case tooMany(String, limit: Int)

  package var description: String {
    switch self {
    case .badProgram(let name, let reason): "the program '\(name)' cannot be packed: \(reason)"
    case .tooLarge(let machine): "the kernel or initrd of VM '\(machine)' is too large; use smaller files"
    case .tooMany(let table, let limit): "the image has more than \(limit) \(table); describe fewer VMs"
    }
  }
}
