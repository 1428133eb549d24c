// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// A disk of the system, which a disk server deals out to VMs.
package struct Disk: Equatable, Sendable {
  package var name: String
  /// The core that its server runs on.
  package var core: Int
  package var source: DiskSource
}

/// What a disk is made of.
package enum DiskSource: Equatable, Sendable {
  /// The drive behind an AHCI controller; `nil` for the first controller that is found. `interrupt` is the global system
  /// interrupt of its line, if that is to be used in place of messages.
  case ahci(PCIAddress?, interrupt: Int? = nil)
  /// A file that is packed into the boot image, read-only; the path is the description's folder and what the
  /// description says, joined.
  case image(path: String)

  /// Whether it is a file.
  package var isImage: Bool { if case .image = self { true } else { false } }
}

/// A virtual disk of a VM: what it has of a disk.
package struct DiskShare: Equatable, Sendable {
  /// The index of the disk.
  package var disk: Int
  package var part: DiskPart
  package var isReadOnly: Bool
  /// Whether the VM starts without it if it cannot be had.
  package var isOptional: Bool
  package var queues: Int
  /// Bytes per second; `nil` for no limit.
  package var rate: UInt64?
  /// What the VM reads as its serial number: at most `Limits.serial` characters.
  package var serial: String
}

/// Which part of a disk is meant.
package enum DiskPart: Equatable, Hashable, Sendable {
  case whole
  /// A partition by its number, as Linux counts.
  case number(Int)
  /// A partition by its GPT name.
  case name(String)
  /// A partition by its PARTUUID, in lower case.
  case uuid(String)
}
