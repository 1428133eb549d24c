// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// By which vectors servers on other cores interrupt a guest that runs, past its VMM (`SystemCall.post`), where
/// `SystemInformation.postsInterrupts` says that this can be. It is for guests whose local APIC the processor shares.
package struct PostedMessages: BitwiseCopyable {
  /// Messages of one channel.
  package static var capacity: Int { 4 }

  /// Set by the VMM, cleared by the kernel: the kernel is to take `vectors` over with the next entry.
  package var haveChanged: UInt32 = 0
  private var reserved: UInt32 = 0
  /// The vector of each message, at its `place`; 0 for none, and then the VMM hears of it.
  package var vectors: InlineArray<128, UInt8> = InlineArray(repeating: 0)

  package init() {}

  /// Where in `vectors` message `message` of the VMM's channel `slot` is; `nil` if there can be none.
  package static func place(slot: Int, message: Int) -> Int? {
    guard slot >= 0, slot < Notifications.channelCount, message >= 0, message < capacity else { return nil }
    return slot * capacity + message
  }
}
