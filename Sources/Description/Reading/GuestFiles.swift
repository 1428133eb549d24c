// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Says what keeps bytes from being a bzImage; `nil` if nothing does.
package typealias KernelCheck = @Sendable ([UInt8]) -> String?

/// Finds and checks the files that VMs boot.
struct GuestFiles {
  /// The description's folder, which paths in it start at; empty for the current one.
  let folder: String
  let check: KernelCheck

  /// What a key names, and the size of the file, as far as it is known by now.
  struct Found<Source> {
    var source: Source
    var size: UInt64 = 0
  }

  func kernel(_ value: Value, _ report: inout Report) -> Found<KernelSource>? {
    if let architecture = Architecture.allCases.first(where: { value.text == "debian:\($0)" }) {
      return Found(source: .debian(architecture))
    }
    guard isPath(value.text) else {
      refuse(value, "kernel", choices: "debian:i386, debian:amd64 or the path of a bzImage", &report)
      return nil
    }
    guard let bytes = contents(of: value, &report) else { return nil }
    if let reason = check(bytes) {
      report.add(.boot(.notKernel(value.text, reason: reason)), at: value.place)
      return nil
    }
    return Found(source: .file(path: path(of: value.text)), size: UInt64(bytes.count))
  }

  /// - Parameter kernel: The VM's kernel: a made system has the programs and modules for it.
  func initrd(_ value: Value, for kernel: KernelSource?, _ report: inout Report) -> Found<InitrdSource>? {
    if value.text == "guest:busybox" {
      if case .debian(let architecture) = kernel { return Found(source: .busybox(architecture)) }
      // A kernel of unknown origin: 32-bit programs run on it either way.
      return Found(source: .busybox(.i386))
    }
    guard isPath(value.text) else {
      refuse(value, "initrd", choices: "guest:busybox or the path of an initial RAM disk", &report)
      return nil
    }
    guard let bytes = contents(of: value, &report) else { return nil }
    guard !bytes.isEmpty else {
      report.add(.boot(.emptyInitrd(value.text)), at: value.place)
      return nil
    }
    return Found(source: .file(path: path(of: value.text)), size: UInt64(bytes.count))
  }

  /// The image of a disk, as the current folder sees its path.
  func image(_ value: Value, _ report: inout Report) -> String? {
    guard let bytes = contents(of: value, &report) else { return nil }
    let problem: DiskProblem
    switch bytes.count {
    case 0: problem = .emptyImage(value.text)
    case let size where !size.isMultiple(of: 512): problem = .unevenImage(value.text, size: size)
    case let size where size > Limits.imageSize: problem = .largeImage(value.text, size: size)
    default: return path(of: value.text)
    }
    report.add(.disk(problem), at: value.place)
    return nil
  }

  private func refuse(_ value: Value, _ key: String, choices: String, _ report: inout Report) {
    report.add(.boot(.unknownSource(value.text, key: key, choices: choices)), at: value.place)
  }

  /// Whether text is a path: it has no scheme in front, or it starts like one.
  private func isPath(_ text: String) -> Bool {
    !text.contains(":") || text.hasPrefix(".") || text.hasPrefix("/")
  }

  /// The path as the current folder sees it.
  private func path(of text: String) -> String {
    text.hasPrefix("/") || folder.isEmpty ? text : folder + "/" + text
  }

  private func contents(of value: Value, _ report: inout Report) -> [UInt8]? {
    let path = path(of: value.text)
    guard FileManager.default.fileExists(atPath: path) else {
      report.add(.boot(.fileMissing(value.text, lookedFor: path)), at: value.place)
      return nil
    }
    do {
      return try HostFile.read(path)
    } catch {
      report.add(.boot(.fileUnreadable(value.text, reason: error.reason)), at: value.place)
      return nil
    }
  }
}
