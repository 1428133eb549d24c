// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
package import Bits

/// A command of the control queue: class, then command (virtio 1.2, §5.1.6.5).
private enum ControlCommand: UInt16 {
  case promiscuous = 0x0000
  case allMulticast = 0x0001
  case allUnicast = 0x0002
  case noMulticast = 0x0003
  case noUnicast = 0x0004
  case noBroadcast = 0x0005
  case setTable = 0x0100
  case setAddress = 0x0101

  /// What driver and device must have agreed on.
  var feature: VirtioFeatures {
    switch self {
    case .promiscuous, .allMulticast, .setTable: .controlReceive
    case .allUnicast, .noMulticast, .noUnicast, .noBroadcast: .controlReceiveExtra
    case .setAddress: .controlAddress
    }
  }

  /// The mode that a command with one byte, on or off, is about.
  var mode: ReceiveModes {
    switch self {
    case .promiscuous: .promiscuous
    case .allMulticast: .allMulticast
    case .allUnicast: .allUnicast
    case .noMulticast: .noMulticast
    case .noUnicast: .noUnicast
    case .noBroadcast: .noBroadcast
    case .setTable, .setAddress: .none
    }
  }
}

/// Why a command is answered with VIRTIO_NET_ERR.
private enum ControlError: Error {
  /// There is no such command, or it was not agreed on.
  case unknown
  /// It has fewer bytes than it needs, or says what cannot be.
  case malformed
}

extension ChainCursor {
  /// Takes the number that follows.
  fileprivate mutating func take<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self
  ) throws(ControlError) -> T {
    do throws(QueueError) { return try read(as: T.self) } catch { throw .malformed }
  }

  /// Takes the address that follows.
  fileprivate mutating func takeAddress() throws(ControlError) -> MACAddress {
    var value: UInt64 = 0
    for _ in 0..<6 { value = value << 8 | UInt64(try take(UInt8.self)) }
    return MACAddress(rawValue: value)
  }

  /// Leaves out `count` addresses.
  fileprivate mutating func skipAddresses(_ count: Int) throws(ControlError) {
    do throws(QueueError) { try skip(6 * count) } catch { throw .malformed }
  }
}

// MARK: - The queue

extension NetworkCard {
  /// VIRTIO_NET_OK and VIRTIO_NET_ERR.
  private static var done: UInt8 { 0 }
  private static var refused: UInt8 { 1 }

  /// Carries out the commands that are available, at most as many as the queue holds, and publishes each.
  /// - Returns: Whether the card may now let something else in.
  /// - Throws: A chain breaks the queue's rules, or has no room for an answer.
  package mutating func serveControl(
    queue: inout SplitQueue, chain: inout DescriptorChain, memory: GuestMemory, features: VirtioFeatures
  ) throws(QueueError) -> Bool {
    var hasChanged = false
    for _ in 0..<queue.size {
      guard try queue.next(into: &chain) else { break }
      var command = chain.readable(in: memory)
      var answer = chain.writable(in: memory)
      guard answer.remaining > 0 else { throw .bufferTooSmall }
      var result = Self.done
      do throws(ControlError) {
        try execute(&command, features)
        hasChanged = true
      } catch { result = Self.refused }
      try answer.write(result)
      // What a command changed is in force before it counts as used (§5.1.6.5.2.1).
      queue.complete(head: chain.head, written: 1)
      queue.publish()
    }
    return hasChanged
  }

  /// Carries out one command; one that is refused has changed nothing.
  private mutating func execute(_ data: inout ChainCursor, _ features: VirtioFeatures) throws(ControlError) {
    let code = UInt16(try data.take(UInt8.self)) << 8 | UInt16(try data.take(UInt8.self))
    guard let command = ControlCommand(rawValue: code), features.contains(command.feature) else { throw .unknown }
    switch command {
    case .setTable: try setTable(&data)
    case .setAddress:
      let address = try data.takeAddress()
      guard !address.isGroup else { throw .malformed }
      filter.own = address
    default:
      let isOn = try data.take(UInt8.self)
      guard isOn <= 1 else { throw .malformed }
      modes.set(command.mode, to: isOn == 1)
    }
  }

  /// Replaces the table of addresses: first those of single stations, then those of groups (§5.1.6.5.2).
  ///
  /// If not all of a kind fit, none of them is kept and all frames of that kind are let in.
  private mutating func setTable(_ data: inout ChainCursor) throws(ControlError) {
    var table = ReceiveFilter()
    var overflow = ReceiveModes.none
    try Self.append(&data, to: &table, orElse: .allUnicast, &overflow)
    try Self.append(&data, to: &table, orElse: .allMulticast, &overflow)
    table.own = filter.own
    filter = table
    overflowModes = overflow
  }

  private static func append(
    _ data: inout ChainCursor, to table: inout ReceiveFilter, orElse mode: ReceiveModes, _ overflow: inout ReceiveModes
  ) throws(ControlError) {
    let count = Int(try data.take(UInt32.self))
    guard count <= ReceiveFilter.capacity - Int(table.count) else {
      try data.skipAddresses(count)
      overflow.insert(mode)
      return
    }
    for _ in 0..<count {
      table.addresses[Int(table.count)] = try data.takeAddress()
      table.count += 1
    }
  }
}
