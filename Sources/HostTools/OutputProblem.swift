// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// What is no file though it has a name.
package enum SpecialFile: String, Sendable {
  case characterDevice = "a character device"
  case pipe = "a pipe"
  case socket = "a socket"
}

/// Why nothing is written to a place.
package enum OutputProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case isFolder(String)
  case isNoFolder(String)
  case isNoSocket(String)
  case isSpecial(String, SpecialFile)
  /// A block device, for what is a file.
  case isDevice(String)
  /// A part of a block device, for what fills the whole.
  case isPartition(String)
  /// The place is a file of which the result is made: what that is.
  case isInput(String, String)
  /// Somebody has something of the device mounted, or uses it otherwise.
  case deviceInUse(String)
  case deviceTooSmall(String, bytes: Int64, needed: Int64)
  /// What was read back is not what was written, from this byte on.
  case deviceForgets(String, offset: Int64)
  /// The system refuses.
  case unusable(String, Errno)

  /// What is wrong, and what to do.
  package var description: String {
    switch self {
    case .isFolder(let place): "\(place) is a folder; name the file to write"
    case .isNoFolder(let place): "\(place) is no folder, and this format is a folder of files; name another place"
    case .isNoSocket(let place): "\(place) is there already, and is no socket; name another place"
    case .isSpecial(let place, let kind): "\(place) is \(kind.rawValue); name a file to write"
    case .isDevice(let place):
      "\(place) is a disk, and what a disk holds is --format usb or iso; name a file to write"
    case .isPartition(let place): "\(place) is a partition; name the whole disk"
    case .isInput(let place, let input): "\(place) is \(input), which would be lost; name another place"
    case .deviceInUse(let place):
      "\(place) is in use: unmount all its file systems first ('lsblk \(place)' shows them)"
    case .deviceTooSmall(let place, let bytes, let needed):
      "\(place) has \(bytes >> 20) MiB, and \(Self.mebibytes(needed)) MiB are needed; use a larger one"
    case .deviceForgets(let place, let offset):
      "\(place) does not give back what was written, from byte \(offset) on; use another one"
    case .unusable(let place, let error): "\(place) cannot be written: \(error)"
    }
  }

  private static func mebibytes(_ bytes: Int64) -> Int64 { (bytes + (1 << 20) - 1) >> 20 }
}
