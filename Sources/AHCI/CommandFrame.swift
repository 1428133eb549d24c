// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A command on its way to the drive: a "register host to device" frame (Serial ATA 3.2, §10.3.4).
struct CommandFrame {
  var command: DriveCommand
  var features: UInt16 = 0
  var address: UInt64 = 0
  var count: UInt16 = 0
  var device: UInt8 = DriveArgument.logicalBlocks

  /// The frame's five words.
  var words: InlineArray<5, UInt32> {
    [
      FrameKind.registersToDevice | FrameKind.isCommand | UInt32(command.rawValue) << 16
        | UInt32(features & 0xff) << 24,
      UInt32(truncatingIfNeeded: address & 0xff_ffff) | UInt32(device) << 24,
      UInt32(truncatingIfNeeded: (address >> 24) & 0xff_ffff) | UInt32(features >> 8) << 24,
      UInt32(count),
      0,
    ]
  }

  init(
    _ command: DriveCommand, features: UInt16 = 0, address: UInt64 = 0, count: UInt16 = 0,
    device: UInt8 = DriveArgument.logicalBlocks
  ) {
    self.command = command
    self.features = features
    self.address = address
    self.count = count
    self.device = device
  }

  /// What `request` is to the drive, as a command that is not queued.
  init(_ request: DiskRequest) {
    // A count of 0 stands for 65536 sectors (ACS-3, §7.24.3).
    let sectors = UInt16(truncatingIfNeeded: request.sectors)
    switch request.kind {
    case .read: self.init(.readDMA, address: request.address, count: sectors)
    case .write: self.init(.writeDMA, address: request.address, count: sectors)
    case .durableWrite: self.init(.writeDMADurably, address: request.address, count: sectors)
    case .flush: self.init(.flush)
    case .discard: self.init(.manageDataSets, features: DriveArgument.trim, count: 1)
    case .enableWriteCache: self.init(.setFeatures, features: DriveArgument.enableWriteCache)
    case .disableWriteCache: self.init(.setFeatures, features: DriveArgument.disableWriteCache)
    }
  }

  /// What `request` is to the drive as a queued command: the tag is the slot's number (AHCI 1.3.1, §5.3.2), and the
  /// number of sectors moves to the features (ACS-3, §7.63).
  init(queued request: DiskRequest, slot: Int) {
    self.init(
      request.kind == .read ? .readQueued : .writeQueued,
      features: UInt16(truncatingIfNeeded: request.sectors), address: request.address,
      count: UInt16(truncatingIfNeeded: slot << 3),
      device: DriveArgument.logicalBlocks | (request.kind == .durableWrite ? DriveArgument.durably : 0))
  }
}
