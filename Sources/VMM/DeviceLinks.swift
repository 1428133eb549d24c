// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Machine
import Virtio

/// A VM's virtio devices: what its drivers set up goes to the servers that move the data, and what these tell comes back.
///
/// Invariant: a device whose bit is in `unsaid` has a setup that its server was not yet told.
struct DeviceLinks {
  /// What a server may take to let go of a VM's memory, in nanoseconds: then it counts as dead.
  private static var patience: UInt64 { 2_000_000_000 }

  private(set) var links = InlineArray<8, DeviceLink?>(repeating: nil)
  private(set) var count = 0
  private var unsaid: UInt32 = 0
  /// Whether servers can interrupt a guest that runs with no exit.
  private let canPost = Mapped<SystemInformation>.information.value.postsInterrupts != 0
  /// Which of them are disks.
  private var disks: UInt32 = 0

  /// Plugs the VM's devices in.
  init(_ configuration: borrowing VMMConfiguration, into pc: inout PC) {
    for index in 0..<min(Int(configuration.deviceCount), VMMConfiguration.deviceCapacity) {
      let device = configuration.devices[index]
      // SAFETY: the description maps a page for each device into its VMM, and into its server.
      links[index] = unsafe DeviceLink(
        unsafeBase: Memory.pointer(AddressMap.channels + UInt64(device.channelSlot) * AddressMap.channelStride))
      pc.plug(VirtioFunction(Self.device(device)))
      if device.kind == DeviceKind.block.rawValue { disks |= 1 << UInt32(index) }
      count += 1
    }
  }

  /// The device that the description speaks of.
  private static func device(_ device: DeviceConfiguration) -> VirtioDevice {
    switch DeviceKind(rawValue: device.kind) {
    case .network:
      return .network(
        NetworkCard(
          address: device.address, mtu: UInt16(clamping: device.mtu), offersOffload: device.hasNoOffload == 0))
    case .block: return .block(BlockDevice(queueCount: Int(device.queueCount)))
    case nil:
      Kernel.log(.error, "the boot image gives this VM a device of a kind that its VMM does not know")
      Kernel.exit(.powerOff)
    }
  }

  /// The channel slot of device `index`: after the console's.
  static func slot(_ index: Int) -> Int { VMMConfiguration.consoleSlot + 1 + index }

  func isDisk(_ index: Int) -> Bool { disks & 1 << UInt32(index) != 0 }

  /// Takes the guest's memory back from servers that an earlier life of this VM gave it to, before anything else is
  /// done with it.
  mutating func reclaim(_ scale: TimeScale) {
    let end = Time.ticks &+ scale.ticks(ofNanoseconds: Self.patience)
    for index in 0..<count {
      guard let link = links[index], awaitAnswer(index, link, until: end) else { continue }
      link.propose(DeviceSetup())
      Kernel.signal(channel: Self.slot(index))
    }
    for index in 0..<count {
      if let link = links[index] { _ = awaitAnswer(index, link, until: end) }
    }
    Kernel.setTimer(atTick: 0)
  }

  /// Waits for the server of device `index`.
  /// - Returns: Whether it answered. That of a disk does, sooner or later: its controller may still write where this
  ///   guest is about to begin.
  private func awaitAnswer(_ index: Int, _ link: DeviceLink, until end: UInt64) -> Bool {
    while !link.isSettled, Time.ticks < end { Self.sleep(until: end) }
    if !link.isSettled {
      Kernel.log(.warning, "the server of device \(index) does not answer: the device waits for it")
      Kernel.setTimer(atTick: 0)
    }
    while isDisk(index), !link.isSettled { _ = Kernel.wait() }
    return link.isSettled
  }

  private static func sleep(until end: UInt64) {
    Kernel.setTimer(atTick: end)
    _ = Kernel.wait()
  }

  /// Does what the guest asked of its devices since this was last called.
  mutating func serve(_ pc: inout PC, _ cpu: Mapped<VirtualCPUState>) {
    while let index = pc.takeTouchedFunction() {
      let memory = pc.memory
      let events = pc.withFunction(index) { Self.takeEvents(of: &$0, memory) } ?? .none
      for queue in 0..<DeviceSetup.queueCapacity where events.contains(.kick(queue)) {
        Kernel.signal(channel: Self.slot(index))
      }
      if events.contains(.rangesChanged) { Self.setKicks(pc, cpu) }
      if events.contains(.setupChanged) { unsaid |= 1 << UInt32(index) }
      if canPost { setPosted(index, pc, cpu) }
    }
    if unsaid != 0 { tell(&pc) }
  }

  /// A server signalled: passes on what it says.
  mutating func heard(_ notifications: Notifications, _ pc: inout PC) {
    for index in 0..<count where notifications.contains(.channel(Self.slot(index))) {
      guard let link = links[index] else { continue }
      let events = link.takeEvents()
      let isSettled = link.isSettled && unsaid & 1 << UInt32(index) == 0
      _ = pc.withFunction(index) { function in
        if isSettled, function.isResetting { function.resetFinished() }
        for queue in 0..<DeviceSetup.queueCapacity where events.contains(.queue(queue)) { function.raise(queue: queue) }
        if events.contains(.needsReset) { function.needsReset() }
        if events.contains(.configurationChanged) { function.describe(link.description(as: DeviceDescription.self)) }
        return
      }
      // What it did may be something to tell.
      pc.touch(index)
    }
    tell(&pc)
  }

  /// Gives servers the setups that they do not know, unless they are busy with earlier ones.
  private mutating func tell(_ pc: inout PC) {
    for index in 0..<count where unsaid & 1 << UInt32(index) != 0 {
      guard let link = links[index], link.isSettled else { continue }
      var setup = DeviceSetup()
      _ = pc.withFunction(index) { $0.fill(&setup) }
      unsaid &= ~(1 << UInt32(index))
      link.propose(setup)
      Kernel.signal(channel: Self.slot(index))
    }
  }

  /// What happened to a device, its control queue served.
  private static func takeEvents(of function: inout VirtioFunction, _ memory: GuestMemory) -> FunctionEvents {
    var events = function.takeEvents()
    guard let control = function.controlQueue, events.contains(.kick(control)) else { return events }
    events.remove(.kick(control))
    var chain = DescriptorChain()
    function.serveControl(in: memory, with: &chain)
    events.insert(function.takeEvents())
    return events
  }

  /// Tells the kernel which ports are kicks of queues that a server has.
  private static func setKicks(_ pc: borrowing PC, _ cpu: Mapped<VirtualCPUState>) {
    var place = 0
    for index in 0..<pc.functionCount {
      guard let ports = pc.kickPorts(ofFunction: index) else { continue }
      cpu.value.kicks[place] = KickRange(first: ports.first, count: ports.count, slot: UInt16(slot(index)))
      place += 1
    }
    for rest in place..<VirtualCPUState.kickCapacity { cpu.value.kicks[rest] = KickRange() }
  }

  /// Tells the kernel by which vectors the server of device `index` may interrupt the guest: those that this VMM would
  /// have the guest's local APIC request.
  private func setPosted(_ index: Int, _ pc: borrowing PC, _ cpu: Mapped<VirtualCPUState>) {
    for queue in 0..<PostedMessages.capacity {
      guard let place = PostedMessages.place(slot: Self.slot(index), message: queue) else { continue }
      let vector = pc.requestedVector(ofFunction: index, queue: queue) ?? 0
      guard cpu.value.posted.vectors[place] != vector else { continue }
      cpu.value.posted.vectors[place] = vector
      cpu.value.posted.haveChanged = 1
    }
  }

  /// Tells it of all devices: the guest's local APIC has changed the way it works.
  func setPosted(_ pc: borrowing PC, _ cpu: Mapped<VirtualCPUState>) {
    guard canPost else { return }
    for index in 0..<pc.functionCount { setPosted(index, pc, cpu) }
  }

  #if FAULT_INJECTION
    /// Has the server of device `index` trap.
    func placeFault(_ index: Int) {
      guard index < count else { return }
      links[index]?.placeFault()
      Kernel.signal(channel: Self.slot(index))
    }
  #endif
}
