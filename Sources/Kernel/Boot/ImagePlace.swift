// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware

/// Where the boot image's two parts are in memory.
struct ImagePlace {
  private let system: PhysicalAddress
  private let systemSize: UInt64
  private let material: PhysicalAddress
  /// Bytes that were loaded.
  let size: UInt64

  /// - Parameter apart: Where the material is, if the first module has only the system.
  init(_ image: PhysicalRange, material apart: PhysicalRange?, _ reader: borrowing BootImage) {
    let apart = image.size < reader.size ? apart : nil
    system = image.start
    systemSize = reader.systemSize
    material = apart?.start ?? image.start + reader.systemSize
    size = image.size + (apart?.size ?? 0)
  }

  /// Where a file of the image begins.
  func address(of file: FileRecord) -> PhysicalAddress {
    file.offset < systemSize ? system + file.offset : material + (file.offset - systemSize)
  }
}
