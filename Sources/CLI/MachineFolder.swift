// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Survey
import SystemPackage

/// The files of a machine in a file system: this computer's own, or where they were saved.
struct MachineFolder {
  /// The folder that stands for `/`.
  let root: FilePath

  /// Reads what there is of `MachineFiles.patterns`; what cannot be read is as if it were not there.
  func read() -> MachineFiles {
    var files = MachineFiles()
    for pattern in MachineFiles.patterns {
      for path in expand(pattern.split(separator: "/").map(String.init)) {
        // The members of a group are links to folders; that they are there is all that counts.
        files[path] = isFolder(path) ? [] : contents(path)
      }
    }
    return files
  }

  /// Writes all files, and their folders.
  func write(_ files: MachineFiles) throws(Failure) {
    for path in files.paths { try WholeFile.write(files[path] ?? [], to: root.appending(path)) }
  }

  /// The paths that a pattern stands for, from the root.
  private func expand(_ parts: [String]) -> [String] {
    var paths = [""]
    for part in parts {
      paths = paths.flatMap { folder -> [String] in
        let prefix = folder.isEmpty ? "" : folder + "/"
        guard part.hasSuffix("*") else { return [prefix + part] }
        return names(in: folder).filter { $0.hasPrefix(part.dropLast()) }.map { prefix + $0 }
      }
    }
    return paths
  }

  private func names(in folder: String) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(folder).string)) ?? []
    return all.sorted().prefix(MachineFiles.countLimit).map { $0 }
  }

  private func isFolder(_ path: String) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: root.appending(path).string, isDirectory: &isFolder) && isFolder
  }

  /// The first bytes of a file: those of /proc and /sys have no length until they are read.
  private func contents(_ path: String) -> [UInt8]? {
    do {
      let file = try FileDescriptor.open(root.appending(path), .readOnly, options: [.closeOnExec, .nonBlocking])
      defer { try? file.close() }
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 12)
      while bytes.count < MachineFiles.sizeLimit {
        // SAFETY: the buffer lives across the call, which writes no more than fits.
        let count = try unsafe buffer.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
        guard count > 0 else { break }
        bytes += buffer.prefix(count)
      }
      return bytes
    } catch {
      return nil
    }
  }
}
