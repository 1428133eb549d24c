// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// Sends the same bytes to whoever connects, on the loopback interface of the computer that tests. A guest behind QEMU's
/// user network finds it at that network's gateway.
package final class ContentServer: Sendable {
  private let file: OpenFile
  package let port: UInt16

  package init(_ content: [UInt8]) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw ConsoleFailure(description: "No socket: errno \(errno)") }
    let file = OpenFile(descriptor)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    // SAFETY: `address` is a `sockaddr_in`, which both calls are told the size of.
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(descriptor, pointer, size) == 0 && getsockname(descriptor, pointer, &size) == 0
      }
    }
    guard isBound, listen(descriptor, 8) == 0 else {
      throw ConsoleFailure(description: "Nobody can be served: errno \(errno)")
    }
    self.file = file
    port = UInt16(bigEndian: address.sin_port)
    DispatchQueue(label: "serving").async { Self.serve(content, file) }
  }

  /// Ends the wait for the next one who connects.
  deinit { shutdown(file.descriptor, Int32(SHUT_RDWR)) }

  private static func serve(_ content: [UInt8], _ listener: OpenFile) {
    while true {
      let connection = accept(listener.descriptor, nil, nil)
      guard connection >= 0 else { break }
      var rest = content[...]
      while !rest.isEmpty {
        // SAFETY: the buffer is `rest`, and not longer than that.
        let count = unsafe rest.withUnsafeBytes {
          unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { break }
        rest = rest.dropFirst(count)
      }
      close(connection)
    }
  }
}
