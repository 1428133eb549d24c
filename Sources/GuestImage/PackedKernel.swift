// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Machine

/// A bzImage with a kernel in it that can be unpacked here.
struct PackedKernel {
  let setup: LinuxKernel
  let compression: KernelCompression
  /// What the compression's tool reads.
  let stream: ArraySlice<UInt8>
  /// Bytes that it makes of it.
  let size: Int
  /// The file's first bytes, up to the setup header's end.
  let head: ArraySlice<UInt8>

  /// Bytes of memory that a kernel can ask for: it lies below 512 MiB, and not in the first of them.
  private static let limit: UInt64 = 511 * .MiB

  init(_ file: [UInt8]) throws(StaysPacked) {
    let setup: LinuxKernel
    do throws(LinuxBootError) {
      // SAFETY: bytes are integers without padding; the span ends before `file` does.
      setup = unsafe try LinuxKernel(inspecting: file.span.bytes, fileSize: UInt64(file.count))
    } catch { throw .oldHeader }
    guard !setup.is64Bit else { throw .is64Bit }
    guard setup.version >= 0x20a else { throw .oldHeader }
    guard setup.runtimeSize <= Self.limit else { throw .badSize }
    let code = setup.codeOffset..<setup.codeOffset + setup.codeSize
    guard setup.payloadSize > 4, code.contains(setup.payloadOffset),
      setup.payloadSize <= code.upperBound - setup.payloadOffset, setup.headerEnd <= UInt64(file.count)
    else { throw .noPayload }

    let payload = file[Int(setup.payloadOffset)...].prefix(Int(setup.payloadSize))
    guard let compression = KernelCompression(of: payload) else { throw .unknownCompression }
    let size = payload.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    // A kernel unpacks itself within the memory it asks for.
    guard size > 0, UInt64(size) <= setup.runtimeSize else { throw .badSize }
    self.setup = setup
    self.compression = compression
    self.size = size
    stream = payload.dropLast(compression.sizeOfTail)
    head = file.prefix(LinuxKernel.headerSize)
  }
}
