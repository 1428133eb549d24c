// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import Bits
package import PCI

// The life of a device, as its driver leads it through the status register (virtio 1.2, §2.1 and §3.1.1):
//
//   reset ─► acknowledged, driver ─► features agreed on ─► live ─► (needs reset) ─► reset
//
// - "Features agreed on" is refused for features that were not offered, that lack one they require, or without
//   VERSION_1: the bit then stays clear.
// - "Live" begins with DRIVER_OK; from then on a server uses the queues, and interrupts reach the driver.
// - A reset is possible at any time. What the driver sees of it ends at once, but for the status: that reads as before
//   until the owner says that the server has let go of the queues (`resetFinished`), and zero then. A driver that does
//   not wait for that may go on; it becomes live only afterwards.
//
// The owner takes `takeEvents()`, then `takeMessage()` until there is none, after each access that it passes on.

/// A virtio device as one PCI function, non-transitional (virtio 1.2, §4.1), with all its registers and interrupts.
///
/// The control plane: it knows what driver and device agreed on, and leaves the data queues to a server.
///
/// Invariant: `permissions` is what `configuration` says; `isHandedOver` from the moment that a server may use the
/// queues until it is known that it does not; nothing is shown to a server as live while `isResetting`.
package struct VirtioFunction: ~Copyable, Sendable {
  /// One queue, as the driver set it up.
  struct Queue: Sendable {
    var setup = QueueSetup(size: VirtioDevice.queueSize)
    var vector = VirtioFunction.noVector
  }

  /// VIRTIO_MSI_NO_VECTOR: the event has no message.
  static var noVector: UInt16 { 0xffff }

  private let inPlace = InPlace()
  var device: VirtioDevice
  var configuration: PCIConfigurationSpace
  var messages: MSIXTable
  /// Where the capabilities are that the guest's writes matter for.
  let messageControl: UInt8
  let window: UInt8

  /// As `configuration` says.
  var permissions = FunctionPermissions()

  var status = DeviceStatus.none
  /// What the status was when the reset began that is not finished.
  var statusBeforeReset = DeviceStatus.none
  package internal(set) var isResetting = false
  var isHandedOver = false
  var driverFeatures = VirtioFeatures.none
  /// Whether the driver accepted a feature beyond bit 63: none is offered there.
  var acceptsUnknownFeatures = false
  var deviceFeatureSelect: UInt32 = 0
  var driverFeatureSelect: UInt32 = 0
  var queueSelect: UInt16 = 0
  var queues: InlineArray<8, Queue> = InlineArray(repeating: Queue())
  var configurationVector = VirtioFunction.noVector
  var generation: UInt8 = 0
  /// Whether the device's configuration changed since it was last read.
  var hasNewConfiguration = false
  var causes = InterruptCauses.none
  var events = FunctionEvents.none
  /// The control queue, from its first command on.
  var control: SplitQueue?

  /// A function as after power-on, with base addresses that do not count yet.
  package init(_ device: VirtioDevice) {
    self.device = device
    configuration = PCIConfigurationSpace(
      PCIIdentity(
        vendor: 0x1af4, device: 0x1040 + device.type, classCode: device.classCode, revision: 1,
        subsystemVendor: 0x1af4, subsystem: 0x1040 + device.type))
    configuration.setRange(.io(size: FunctionLayout.portsSize), at: FunctionLayout.portRange)
    configuration.setRange(.memory(size: FunctionLayout.memorySize), at: FunctionLayout.memoryRange)
    configuration.setInterruptPin(1)
    // One message for each queue and one for the configuration.
    messages = MSIXTable(count: device.queueCount + 1)
    messageControl = configuration.addMessageCapability(count: messages.count)
    window = configuration.addVirtioCapabilities(device)
  }

  /// Puts the base addresses in place, as firmware does; the guest may move them.
  /// - Parameters:
  ///   - io: a multiple of 16.
  ///   - memory: a multiple of 4096.
  package mutating func place(io: UInt16, memory: UInt32) {
    configuration.setAddress(UInt64(io), ofRange: FunctionLayout.portRange)
    configuration.setAddress(UInt64(memory), ofRange: FunctionLayout.memoryRange)
  }

  // MARK: - For the owner

  /// What the guest did since this was last asked.
  package mutating func takeEvents() -> FunctionEvents {
    defer { events = .none }
    return events
  }

  /// Whether the driver is ready and the queues can be used.
  package var isLive: Bool { status.contains(.driverOK) && !status.contains(.failed) && !isResetting }

  /// What driver and device agreed on; nothing before they did.
  package var features: VirtioFeatures { status.contains(.featuresOK) ? driverFeatures : .none }

  /// Describes the device to the server of its data queues.
  package func fill(_ setup: inout DeviceSetup) {
    setup = DeviceSetup()
    guard isLive else { return }
    setup.isLive = 1
    setup.features = features.rawValue
    setup.queueCount = UInt32(device.dataQueueCount)
    for index in 0..<device.dataQueueCount { setup.queues[index] = queues[index].setup }
    device.fill(&setup, features)
  }

  /// The server has let go of the queues: the reset that the driver asked for is done.
  package mutating func resetFinished() {
    guard isResetting else { return }
    isResetting = false
    isHandedOver = isLive
    // A driver that did not wait may be ready by now.
    if isLive { events.insert(.setupChanged) }
  }

  /// The queues cannot be used as the driver set them up: it is told so (§2.1.2).
  package mutating func needsReset() {
    guard isLive, !status.contains(.needsReset) else { return }
    status.insert(.needsReset)
    raiseConfiguration()
  }

  /// Takes over what the server of a block device says of it, now or instead of what it said before.
  ///
  /// What it offers should not change once a driver looked at it; capacity and limits may.
  package mutating func describe(_ description: DeviceDescription) {
    guard case .block(var disk) = device, disk.describe(description) else { return }
    device = .block(disk)
    hasNewConfiguration = true
    raiseConfiguration()
  }

  /// Plugs a network card's cable in or out.
  package mutating func setLink(isUp: Bool) {
    guard case .network(var card) = device, card.isLinkUp != isUp else { return }
    card.isLinkUp = isUp
    device = .network(card)
    hasNewConfiguration = true
    raiseConfiguration()
  }
}

// MARK: - Interrupts

extension VirtioFunction {
  /// Interrupts the driver for queue `index` (§4.1.5.3).
  package mutating func raise(queue index: Int) {
    guard isLive, index >= 0, index < device.queueCount else { return }
    if permissions.hasMessages {
      messages.raise(Int(queues[index].vector))
    } else {
      causes.insert(.queue)
    }
  }

  /// Interrupts the driver for its device's configuration or status (§4.1.5.4).
  mutating func raiseConfiguration() {
    guard isLive else { return }
    causes.insert(.configuration)
    if permissions.hasMessages { messages.raise(Int(configurationVector)) }
  }

  /// The next message to send; the owner asks until there is none.
  ///
  /// A message is a write to memory: none leaves while the function is no bus master.
  package mutating func takeMessage() -> InterruptMessage? { sendsMessages ? messages.takeMessage() : nil }

  /// The message that the driver would get at once for queue `index`; `nil` if it would get none, or none yet.
  package func message(ofQueue index: Int) -> InterruptMessage? {
    guard sendsMessages, isLive, index >= 0, index < device.dataQueueCount else { return nil }
    return messages.message(Int(queues[index].vector))
  }

  private var sendsMessages: Bool {
    permissions.hasMessages && !permissions.masksMessages && permissions.isBusMaster
  }

  /// Whether the function asserts its interrupt pin, INTA#: only without messages.
  package var interruptLine: Bool { hasInterruptStatus && !permissions.disablesPin }

  /// The Interrupt Status bit of PCI's status register (§4.1.4.5.1).
  var hasInterruptStatus: Bool { !causes.isEmpty && !permissions.hasMessages }
}
