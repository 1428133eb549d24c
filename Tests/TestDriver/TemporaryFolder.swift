// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder that is gone when nobody needs it any more.
package final class TemporaryFolder: Sendable {
  /// Its path.
  package let path: String

  package init() throws {
    // Short, since the path of a socket has at most 107 bytes (unix(7)).
    path = "/tmp/roost-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Makes a file with `content`.
  /// - Returns: Its path.
  package func write(_ content: [UInt8], to name: String) throws -> String {
    try Data(content).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }

  /// The text of one of its files; empty if it is not there.
  func read(_ name: String) -> String {
    // The bytes need not be UTF-8: they may come from a guest.
    FileManager.default.contents(atPath: path + "/" + name).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
