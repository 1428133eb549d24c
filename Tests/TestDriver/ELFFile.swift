// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An executable for the machine itself, as far as tests want to know it (ELF-64 Object File Format 1.5, §8).
package struct ELFFile {
  /// A part that is loaded.
  package struct Segment: Equatable {
    private let flags: Int
    /// Its bytes in the file.
    package let fileSize: Int
    package var isExecutable: Bool { flags & 1 != 0 }
    package var isWritable: Bool { flags & 2 != 0 }

    init(flags: Int, fileSize: Int) {
      self.flags = flags
      self.fileSize = fileSize
    }
  }

  package let segments: [Segment]

  /// Reads the release build of `name`.
  package init(_ name: String) throws {
    let path = Repository.image(name)
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConsoleFailure(description: "\(path) is not there; 'make images' makes it")
    }
    func number(_ offset: Int, _ width: Int) throws -> Int {
      guard offset >= 0, offset + width <= data.count else { throw ConsoleFailure(description: "\(path) is cut off") }
      return data[offset..<offset + width].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    let table = try number(32, 8)
    let size = try number(54, 2)
    let headers = try (0..<number(56, 2)).map { table + $0 * size }
    segments = try headers.filter { try number($0, 4) == 1 }.map {
      Segment(flags: try number($0 + 4, 4), fileSize: try number($0 + 32, 8))
    }
  }

  /// Bytes that are loaded, all segments together.
  package var loadedSize: Int { segments.map(\.fileSize).reduce(0, +) }
}
