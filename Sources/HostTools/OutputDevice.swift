// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
package import SystemPackage

/// A block device, of which nobody else uses anything, to be written from its start.
package struct OutputDevice: ~Copyable {
  /// Bytes that are copied, or compared, at once.
  private static let pieceSize = 4 << 20

  private let name: String
  private let device: FileDescriptor
  /// Bytes of the device.
  package let size: Int64

  /// Opens a device.
  ///
  /// Exclusively, which Linux refuses while it, or a part of it, is mounted, swapped to, or part of another device.
  package init(_ place: OutputPlace) throws(OutputProblem) {
    name = place.name
    (device, size) = try Self.open(place)
  }

  private static func open(_ place: OutputPlace) throws(OutputProblem) -> (FileDescriptor, size: Int64) {
    do {
      let device = try FileDescriptor.open(place.path, .readWrite, options: [.exclusiveCreate, .closeOnExec])
      return (device, try device.seek(offset: 0, from: .end))
    } catch Errno.resourceBusy {
      throw .deviceInUse(place.name)
    } catch {
      throw .unusable(place.name, error as? Errno ?? .ioError)
    }
  }

  deinit { try? device.close() }

  /// Copies a file to the start of the device, and reads it back from there.
  /// - Parameter progress: Told how many of how many bytes are done: each counts once written and once read back.
  package func write(_ path: FilePath, progress: (Int64, _ of: Int64) -> Void) throws {
    let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    defer { try? file.close() }
    let count = try file.seek(offset: 0, from: .end)
    guard count <= size else { throw OutputProblem.deviceTooSmall(name, bytes: size, needed: count) }
    try eachPiece(of: file, count) { offset, bytes in
      try device.writeAll(toAbsoluteOffset: offset, bytes)
      progress(offset + Int64(bytes.count), 2 * count)
    }
    try flush()
    try eachPiece(of: file, count) { offset, bytes in
      let read = try Self.read(device, at: offset, bytes.count)
      if let place = Self.firstDifference(bytes, read) {
        throw OutputProblem.deviceForgets(name, offset: offset + Int64(place))
      }
      progress(count + offset + Int64(bytes.count), 2 * count)
    }
  }

  /// Waits until the device has everything, and forgets what the system still knows of it, so that reading asks it.
  private func flush() throws {
    guard fsync(device.rawValue) == 0 else { throw OutputProblem.unusable(name, Errno(rawValue: errno)) }
    _ = posix_fadvise(device.rawValue, 0, 0, POSIX_FADV_DONTNEED)
  }

  private func eachPiece(
    of file: FileDescriptor, _ count: Int64, _ body: (_ offset: Int64, _ bytes: ArraySlice<UInt8>) throws -> Void
  ) throws {
    for offset in stride(from: 0, to: count, by: Self.pieceSize) {
      try body(offset, try Self.read(file, at: offset, Int(min(count - offset, Int64(Self.pieceSize)))))
    }
  }

  /// Reads so many bytes, or fewer if there are no more.
  private static func read(_ file: FileDescriptor, at start: Int64, _ count: Int) throws -> ArraySlice<UInt8> {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let offset = start + Int64(done)
      // SAFETY: the bytes live across the call, which writes no more than fit.
      let read = try unsafe bytes[done...].withUnsafeMutableBytes {
        unsafe try file.read(fromAbsoluteOffset: offset, into: $0)
      }
      guard read > 0 else { break }
      done += read
    }
    return bytes.prefix(done)
  }

  /// Where one byte is not as the other; `nil` if all are, and as many.
  static func firstDifference(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Int? {
    guard one != other else { return nil }
    return zip(one, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(one.count, other.count)
  }
}
