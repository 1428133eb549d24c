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
    let compression = kernel.compression
    let unpacked = try await run(
      compression.tool, compression.arguments, on: Array(kernel.stream), limit: kernel.size)
    let result = try UnpackedKernelFile(from: kernel, unpacked: unpacked)
    return result.bytes(blocks: await blocks(of: result.image))
  }

  /// The image in blocks of LZ4, which a VMM unpacks quickly; without that tool as it is.
  func blocks(of image: [UInt8]) async -> [UInt8] {
    do throws(StaysPacked) {
      let frame = try await run(.lz4, ImageBlocks.arguments, on: image, limit: ImageBlocks.limit(for: image))
      guard let blocks = ImageBlocks.taken(fromFrame: frame, count: image.count) else {
        throw .tool(.unusable(.lz4, because: "it writes another form than it was asked for"))
      }
      return blocks
    } catch {
      progress.step("kernel", "takes \(image.count >> 20) MiB of the boot image: \(error)")
      return ImageBlocks.stored(image)
    }
  }

  /// Runs a tool that makes other bytes of some.
  private func run(
    _ tool: Tool, _ arguments: [String], on bytes: [UInt8], limit: Int
  ) async throws(StaysPacked) -> [UInt8] {
    // A file, not a pipe: a tool that does not read to the end would break it.
    let stream = cache.appending("kernel-\(ProcessInfo.processInfo.processIdentifier).\(tool.name)")
    do {
      try Files.createDirectory(cache)
      try Files.write(bytes, to: stream)
    } catch {
      throw .file("\(stream) cannot be written")
    }
    defer { try? Files.remove(stream) }
    do throws(ToolFailure) {
      return try await tools.run(tool, arguments, reading: stream, limit: limit)
    } catch {
      throw .tool(error)
    }
  }
}
