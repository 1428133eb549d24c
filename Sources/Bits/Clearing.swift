// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Clearing much memory of which most is clear already, as a computer's is after power-on.
///
/// All of it is read and only what is not zero is written: a line that stays clean needs no way back to memory, and under
/// an emulator or hypervisor memory that nobody ever wrote to stays without a page of the host's.
package enum Clearing {
  /// Bytes that are looked at together.
  package static var block: Int { 64 }

  /// Makes `count` bytes from `start` on zero.
  ///
  /// - Precondition: they are readable and writable, begin at a multiple of 8, and nobody else uses them meanwhile.
  /// - Returns: How many blocks were not clear; what is left at the end counts as one.
  @discardableResult
  package static func clear(unsafeStart start: UnsafeMutableRawPointer, count: Int) -> Int {
    var written = 0
    // SAFETY: every access below is inside `count` bytes that the caller vouches for, and aligned as the start is.
    var place = unsafe start.assumingMemoryBound(to: UInt64.self)
    for _ in 0..<count / block {
      let low = unsafe place[0] | place[1] | place[2] | place[3]
      let high = unsafe place[4] | place[5] | place[6] | place[7]
      if low | high != 0 {
        for word in 0..<block / 8 { unsafe place[word] = 0 }
        written &+= 1
      }
      // SAFETY: as above: the loop stays below `count`.
      unsafe place += block / 8
    }
    let rest = count % block
    if rest > 0 {
      // SAFETY: as above: these are the last bytes of `count`.
      unsafe UnsafeMutableRawPointer(place).initializeMemory(as: UInt8.self, repeating: 0, count: rest)
      written &+= 1
    }
    return written
  }
}
