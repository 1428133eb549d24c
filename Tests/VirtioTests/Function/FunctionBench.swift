// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import PCI

@testable import Virtio

/// A network card's function on a bus, as its guest and its owner see it; by reference, for expectations.
final class FunctionBench {
  static let ports: UInt16 = 0xc040
  static let memory: UInt64 = 0xfe00_4000
  static let address = MACAddress(rawValue: 0x0200_0000_aa01)
  /// What a Linux driver accepts.
  static let usual = [
    VirtioFeatures.version1, .ringEventIndex, .ringIndirect, .address, .linkStatus, .mergeableBuffers, .controlQueue,
    .controlReceive, .controlReceiveExtra, .controlAddress,
  ].reduce(VirtioFeatures.none, |)

  var function: VirtioFunction

  convenience init(_ card: NetworkCard = NetworkCard(address: address, mtu: 9000), isDecoding: Bool = true) {
    self.init(.network(card), isDecoding: isDecoding)
  }

  init(_ device: VirtioDevice, isDecoding: Bool = true) {
    function = VirtioFunction(device)
    function.place(io: Self.ports, memory: UInt32(Self.memory))
    if isDecoding { function.writeConfiguration(7, at: 4, width: 2) }
    _ = function.takeEvents()
  }

  // MARK: - The guest

  func configuration(_ offset: UInt8, _ width: Int = 4) -> UInt32 {
    function.readConfiguration(offset, width: width)
  }

  func read(_ offset: Int, _ width: Int) -> UInt64 {
    function.readMemory(Self.memory + UInt64(offset), width: width)
  }

  func write(_ value: UInt64, at offset: Int, _ width: Int) {
    function.writeMemory(Self.memory + UInt64(offset), width: width, value: value)
  }

  /// A register of the common configuration, in its natural width.
  subscript(_ register: CommonRegister) -> UInt64 {
    get { read(register.rawValue, register.width) }
    set { write(newValue, at: register.rawValue, register.width) }
  }

  var status: DeviceStatus {
    get { DeviceStatus(rawValue: UInt8(self[.status])) }
    set { self[.status] = UInt64(newValue.rawValue) }
  }

  /// Accepts `features` and says so.
  func negotiate(_ features: VirtioFeatures = usual) {
    status = .acknowledge
    status = .acknowledge | .driver
    for half in 0..<2 as Range<UInt64> {
      self[.driverFeatureSelect] = half
      self[.driverFeature] = features.rawValue >> (32 * half) & 0xffff_ffff
    }
    status = .acknowledge | .driver | .featuresOK
  }

  /// Sets queue `index` up where `setup` says.
  func enable(queue index: Int, _ setup: QueueSetup) {
    self[.queueSelect] = UInt64(index)
    self[.queueSize] = UInt64(setup.size)
    self[.descriptorsLow] = setup.descriptors & 0xffff_ffff
    self[.descriptorsHigh] = setup.descriptors >> 32
    self[.availableLow] = setup.available & 0xffff_ffff
    self[.availableHigh] = setup.available >> 32
    self[.usedLow] = setup.used & 0xffff_ffff
    self[.usedHigh] = setup.used >> 32
    self[.queueEnable] = 1
  }

  static func place(_ index: Int) -> QueueSetup {
    let start = UInt64(0x1_0000 + index * 0x4000)
    return QueueSetup(size: 256, isEnabled: true, descriptors: start, available: start + 0x1000, used: start + 0x2000)
  }

  /// Does all that a driver does, up to DRIVER_OK.
  func start(_ features: VirtioFeatures = usual, queues: Int = 3) {
    negotiate(features)
    for index in 0..<queues { enable(queue: index, Self.place(index)) }
    status = .acknowledge | .driver | .featuresOK | .driverOK
  }

  /// Turns messages on; vector n is sent to 0xfee0_0000 + n with n as data.
  func enableMessages(maskingAll: Bool = false) {
    for vector in 0..<4 {
      write(UInt64(0xfee0_0000 + 4 * vector), at: FunctionLayout.messages + 16 * vector, 4)
      write(UInt64(vector), at: FunctionLayout.messages + 16 * vector + 8, 4)
      write(0, at: FunctionLayout.messages + 16 * vector + 12, 4)
    }
    function.writeConfiguration(maskingAll ? 0xc000 : 0x8000, at: function.messageControl, width: 2)
  }

  func setVector(_ vector: UInt64, ofQueue index: Int) {
    self[.queueSelect] = UInt64(index)
    self[.queueVector] = vector
  }

  // MARK: - The owner

  func takeEvents() -> FunctionEvents { function.takeEvents() }

  func takeMessage() -> InterruptMessage? { function.takeMessage() }

  var isLive: Bool { function.isLive }
  var isResetting: Bool { function.isResetting }
  var interruptLine: Bool { function.interruptLine }
  var features: VirtioFeatures { function.features }
  var offeredFeatures: VirtioFeatures { function.offeredFeatures }
  var portBase: UInt16? { function.portBase }
  var memoryBase: UInt64? { function.memoryBase }

  func claims(port: UInt16) -> Bool { function.claims(port: port) }
  func claims(address: UInt64) -> Bool { function.claims(address: address) }

  var setup: DeviceSetup {
    var setup = DeviceSetup()
    function.fill(&setup)
    return setup
  }

  /// The capabilities, in their order: type and offset.
  var capabilities: [(type: UInt32, offset: UInt8)] {
    var found: [(UInt32, UInt8)] = []
    var offset = UInt8(configuration(0x34, 1))
    while offset != 0, found.count < 48 {
      found.append((configuration(offset, 1), offset))
      offset = UInt8(configuration(offset + 1, 1))
    }
    return found
  }

  /// The virtio structure of `type`: its capability's offset and length, and where it is.
  func structure(_ type: StructureType) -> (offset: UInt8, size: UInt32, range: UInt32, place: UInt32, count: UInt32)? {
    capabilities.first { $0.type == 9 && configuration($0.offset + 3, 1) == UInt32(type.rawValue) }.map {
      let offset = $0.offset
      return (
        offset, configuration(offset + 2, 1), configuration(offset + 4, 1), configuration(offset + 8),
        configuration(offset + 12)
      )
    }
  }
}
