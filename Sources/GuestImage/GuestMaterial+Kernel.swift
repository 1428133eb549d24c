// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HostTools
import SystemPackage

extension GuestMaterial {
  /// Unpacks the kernel in a bzImage, so that no guest has to at each of its starts.
  /// - Returns: The file that a VMM loads as it is.
  /// - Throws: Why the bzImage is what a VMM should load.
  package func unpacked(_ file: [UInt8]) async throws(StaysPacked) -> [UInt8] {
    let kernel = try PackedKernel(file)
    // A file, not a pipe: a tool that does not read to the end would break it.
    let stream = cache.appending("kernel-\(ProcessInfo.processInfo.processIdentifier).packed")
    do {
      try Files.createDirectory(cache)
      try Files.write(Array(kernel.stream), to: stream)
    } catch {
      throw .file("\(stream) cannot be written")
    }
    defer { try? Files.remove(stream) }
    let unpacked: [UInt8]
    do throws(ToolFailure) {
      let compression = kernel.compression
      unpacked = try await tools.run(
        compression.tool, compression.arguments, reading: stream, limit: kernel.size)
    } catch {
      throw .tool(error)
    }
    return try UnpackedKernelFile.make(from: kernel, unpacked: unpacked)
  }
}
