// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Why a boot medium could not be made.
package enum MediumError: Error, Equatable, CustomStringConvertible {
  /// A file of GRUB's is not what is known of its version.
  case unknownGRUB(String)
  /// GRUB's image does not fit before the first partition.
  case loaderTooLarge(bytes: Int)
  case imageTooLarge

  package var description: String {
    switch self {
    case .unknownGRUB(let file):
      "\(file) is not what GRUB 2.06 to 2.12 has there; install the package grub-pc-bin of Debian"
    case .loaderTooLarge(let bytes): "GRUB's image has \(bytes) bytes and does not fit before the stick's partition"
    case .imageTooLarge: "the boot image has 4 GiB or more, which no file on a stick can have; use smaller files"
    }
  }
}
