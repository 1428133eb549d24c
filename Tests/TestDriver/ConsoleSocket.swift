// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// A console behind a socket: what comes goes to a transcript, what is typed is sent in order.
final class ConsoleSocket: Sendable {
  private let file: OpenFile
  private let typing = DispatchQueue(label: "typing")

  /// Where a console listens.
  enum Place {
    case path(String)
    /// A TCP port of this computer.
    case port(UInt16)
  }

  /// The connection, or `nil` if nobody listens there yet.
  init?(_ place: Place, transcript: Transcript) {
    let connected: Int32? =
      switch place {
      case .path(let path): ConsoleSocket.connect(path: path)
      case .port(let port): ConsoleSocket.connect(port: port)
      }
    guard let descriptor = connected else { return nil }
    let file = OpenFile(descriptor)
    self.file = file
    DispatchQueue(label: "reading").async { ConsoleSocket.readAll(file, into: transcript) }
  }

  private static func connect(path: String) -> Int32? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path) - 1
    guard path.utf8.count <= room else { return nil }
    // SAFETY: the path fits with its closing zero, checked above.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    return connect(AF_UNIX, to: address)
  }

  private static func connect(port: UInt16) -> Int32? {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return connect(AF_INET, to: address)
  }

  private static func connect<Address: BitwiseCopyable>(_ family: Int32, to address: Address) -> Int32? {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    // SAFETY: `address` is a socket address of the family, and its size is what is said.
    let result = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<Address>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  deinit {
    shutdown(file.descriptor, Int32(SHUT_RDWR))
  }

  /// Sends `bytes` after what was typed before, as fast as the other side takes them.
  func type(_ bytes: [UInt8]) {
    typing.async { [file] in
      var rest = bytes[...]
      while !rest.isEmpty {
        // SAFETY: the buffer is `rest`, and not longer than that.
        let count = unsafe rest.withUnsafeBytes {
          unsafe send(file.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }

  private static func readAll(_ file: OpenFile, into transcript: Transcript) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      // SAFETY: the array has the bytes that the call may write.
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(file.descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        transcript.append(buffer[..<count])
      } else if count == 0 || errno != EINTR {
        break
      }
    }
    transcript.end("the console was closed")
  }
}
