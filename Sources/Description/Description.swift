// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Yams

/// The way from a file to a checked system.
package enum Description {
  /// Reads and checks a system description; the path `-` is standard input.
  /// - Parameter checkKernel: Looks at the kernels that VMs name by path.
  /// - Throws: Everything that is wrong with it.
  package static func load(
    path: String, checkKernel: @escaping KernelCheck = BzImage.check
  ) throws(DescriptionErrors) -> System {
    let bytes: [UInt8]
    do {
      bytes = try HostFile.readDescription(path)
    } catch {
      throw refuse(.unreadable(reason: error.reason), path)
    }
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    // "/x.yaml" lies in "/", whose paths start at "" and a slash.
    return try parse(bytes, file: path, folder: path.hasPrefix("/") && folder.isEmpty ? "/." : folder, checkKernel)
  }

  /// Checks the bytes of a description that is called `file` in messages and lies in `folder`.
  package static func parse(
    _ bytes: [UInt8], file: String, folder: String, _ checkKernel: @escaping KernelCheck = BzImage.check
  ) throws(DescriptionErrors) -> System {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw refuse(.notUTF8, file) }
    let document = Document(yaml: text)
    var reader = SystemReader(files: GuestFiles(folder: folder, check: checkKernel))
    for (place, problem) in document.problems { reader.report.add(.file(problem), at: place) }
    if document.root == nil, document.problems.isEmpty { throw refuse(.empty, file) }
    let system = document.root.flatMap { reader.read($0) }
    guard reader.report.isEmpty, let system else { throw reader.report.errors(in: file) }
    return system
  }

  private static func refuse(_ problem: FileProblem, _ file: String) -> DescriptionErrors {
    let error = DescriptionError(file: file, place: Place(line: 1, column: 1), problem: .file(problem))
    return DescriptionErrors(errors: [error])
  }
}
