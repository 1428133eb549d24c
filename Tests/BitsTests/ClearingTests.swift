// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Bits

/// Memory that nobody is to see what was in.
struct ClearingTests {
  private let size = 4096

  /// Bytes before and after `[first, first + count)` of a page once that was cleared, and how many blocks were written.
  private func clear(_ bytes: [UInt8], from first: Int, count: Int) -> (bytes: [UInt8], written: Int) {
    var bytes = bytes
    let written = unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return unsafe Clearing.clear(unsafeStart: start + first, count: count)
    }
    return (bytes, written)
  }

  @Test(arguments: [0, 1, 7, 8, 63, 64, 65, 4000, 4032])
  func `not a byte is left, and none beside it is touched`(count: Int) {
    let (bytes, _) = clear(Array(repeating: 0xa5, count: size), from: 64, count: count)

    #expect(bytes[..<64].allSatisfy { $0 == 0xa5 })
    #expect(bytes[64..<(64 + count)].allSatisfy { $0 == 0 })
    #expect(bytes[(64 + count)...].allSatisfy { $0 == 0xa5 })
  }

  @Test func `one byte anywhere in a block is found`() {
    for place in 0..<256 {
      var bytes = [UInt8](repeating: 0, count: size)
      bytes[place] = 1
      let (cleared, written) = clear(bytes, from: 0, count: size)

      #expect(written == 1)
      #expect(cleared.allSatisfy { $0 == 0 })
    }
  }

  @Test func `what is clear is not written`() {
    #expect(clear(Array(repeating: 0, count: size), from: 0, count: size).written == 0)
  }
}
