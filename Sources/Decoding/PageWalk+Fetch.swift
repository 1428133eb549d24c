// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension PageWalk {
  /// The bytes of the instruction at `rip`: 15, or fewer if the next page cannot be read.
  ///
  /// - Parameter base: where the code segment begins; 64-bit code ignores it.
  package func fetch(
    rip: UInt64, base: UInt64, code: CodeSize, isUser: Bool
  ) throws(PageWalkError) -> InstructionBytes {
    let access = PageAccess(isUser: isUser, isFetch: true)
    let start = code == .bits64 ? rip : Width.doubleword.truncate(base &+ rip)
    var bytes = InstructionBytes()
    var page = try translate(start, for: access)
    bytes.append(try load(page))
    for index in 1..<UInt64(InstructionBytes.limit) {
      let linear = start &+ index
      if linear & 4095 == 0 {
        do throws(PageWalkError) { page = try translate(linear, for: access) } catch { return bytes }
      } else {
        page = page + 1
      }
      do throws(PageWalkError) { bytes.append(try load(page)) } catch { return bytes }
    }
    return bytes
  }
}
