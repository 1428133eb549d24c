// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
package import Bits

extension VirtioFunction {
  /// The queue whose kick is for `serveControl`; all others are the server's.
  package var controlQueue: Int? { device.controlQueue }

  /// Carries out what the driver wants by the control queue; for its kick.
  ///
  /// - Parameters:
  ///   - memory: the guest's.
  ///   - chain: room to work in; what it holds before and after is of no use.
  package mutating func serveControl(in memory: GuestMemory, with chain: inout DescriptorChain) {
    guard isLive, !status.contains(.needsReset), let index = device.controlQueue, queues[index].setup.isEnabled != 0
    else { return }
    do throws(QueueError) {
      var queue =
        if let control { control } else {
          try SplitQueue(queues[index].setup, memory: memory, features: features)
        }
      try serve(&queue, in: memory, with: &chain)
      // More came in meanwhile: it has its turn, but so have others.
      if queue.enableKicks() { events.insert(.kick(index)) }
      if queue.needsInterrupt() { raise(queue: index) }
      control = queue
    } catch {
      needsReset()
    }
  }

  private mutating func serve(
    _ queue: inout SplitQueue, in memory: GuestMemory, with chain: inout DescriptorChain
  ) throws(QueueError) {
    switch device {
    case .network(var card):
      let hasChanged = try card.serveControl(queue: &queue, chain: &chain, memory: memory, features: features)
      guard hasChanged else { return }
      device = .network(card)
      hasNewConfiguration = true
      events.insert(.setupChanged)
    case .block: preconditionFailure("a block device has no control queue")
    }
  }
}
