// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads files of the host.
enum HostFile {
  /// Why a file could not be read, in the system's words.
  struct Failure: Error {
    var reason: String
  }

  static func read(_ path: String) throws(Failure) -> [UInt8] {
    var isFolder: ObjCBool = false
    // SAFETY: the flag outlives the call.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Failure(reason: "there is no such file")
    }
    guard !isFolder.boolValue else { throw Failure(reason: "it is a folder") }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(reason: "no permission, or an error of the disk")
    }
    return [UInt8](data)
  }
}
