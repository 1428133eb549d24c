// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HostTools
import SystemPackage

/// Reads and writes of whole files.
enum WholeFile {
  static func read(_ path: String) throws(Failure) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .environment("\(path) cannot be read")
    }
    return [UInt8](data)
  }

  /// Writes a file in one piece: whoever has the old one open keeps it.
  static func write(_ bytes: [UInt8], to path: FilePath) throws(Failure) {
    do {
      try OutputFile.write(bytes, to: OutputPlace(path))
    } catch let problem as OutputProblem {
      throw .environment(problem.description)
    } catch {
      throw .environment("\(path) cannot be written: \(error)")
    }
  }
}
