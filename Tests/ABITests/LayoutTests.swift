// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@Suite struct LayoutTests {
  @Test(arguments: RecordLayout.bootImage + RecordLayout.configuration + RecordLayout.shared + RecordLayout.servers)
  func `a record lies in memory as its table says`(layout: RecordLayout) {
    for (field, found, expected) in layout.offsets { #expect(found == expected, "\(layout.name).\(field)") }
    // Records follow one another without a gap that one side could forget.
    #expect(layout.stride == layout.size)
  }

  @Test func `what stands on pages of its own fits them`() {
    #expect(MemoryLayout<DomainStatus>.size <= 4096)
    #expect(MemoryLayout<VirtualCPUState>.size <= 4096)
    #expect(MemoryLayout<SystemInformation>.size <= 4096)
    #expect(MemoryLayout<LogHeader>.size <= LogRing.recordsOffset)
    #expect(LogRing.recordsOffset + LogRing.capacity * MemoryLayout<LogRecord>.stride <= Int(LogRing.size))
    #expect(ExitReason.count <= DomainStatus().exitsByReason.count)
    #expect(LogRecord().text.count == LogLine.rowCapacity)
  }

  @Test func `the parts of a component's address space follow one another`() {
    let places = [
      AddressMap.program, AddressMap.stackTop, AddressMap.information, AddressMap.configuration, AddressMap.virtualCPU,
      AddressMap.overlay, AddressMap.log, AddressMap.status, AddressMap.switchCounters, AddressMap.diskCounters,
      AddressMap.deviceInformation, AddressMap.deviceRegisters, AddressMap.deviceMemory, AddressMap.serverState,
      AddressMap.channels, AddressMap.workspace, AddressMap.guestKernel, AddressMap.guestInitrd, AddressMap.guestLow,
      AddressMap.guestHigh,
      AddressMap.guests, AddressMap.end,
    ]
    for (low, high) in zip(places, places.dropFirst()) { #expect(low < high) }
    for place in places { #expect(place.isAligned(to: 4096)) }
    #expect(AddressMap.status + UInt64(BootLimits.domains) * 4096 <= AddressMap.switchCounters)
    #expect(AddressMap.switchCounters + UInt64(SwitchConfiguration.capacity) * 4096 <= AddressMap.diskCounters)
    #expect(AddressMap.diskCounters + UInt64(DiskConfiguration.capacity) * 4096 <= AddressMap.deviceInformation)
    let channelBytes = UInt64(Notifications.channelCount) * AddressMap.channelStride
    #expect(AddressMap.channels + channelBytes <= AddressMap.workspace)
    #expect(AddressMap.guestHigh - AddressMap.guestLow >= GuestMemory.highStart)
  }

  @Test func `a switch finds everything it shares, and has room for every VM`() {
    #expect(MemoryLayout<SwitchConfiguration>.size <= Int(AddressMap.virtualCPU - AddressMap.configuration))
    #expect(AddressMap.workspace + SwitchConfiguration.workspaceSize <= AddressMap.guestKernel)
    #expect(MemoryLayout<SwitchCounters>.size <= 4096)
    #expect(SwitchConfiguration.portCapacity <= Notifications.channelCount)
    #expect(DeviceLink.size <= AddressMap.channelStride)
    // Beside the console's channel a VMM has one for each device.
    #expect(VMMConfiguration.consoleSlot + VMMConfiguration.deviceCapacity < Notifications.channelCount)
    let lastGuest = AddressMap.guests + UInt64(ConsoleConfiguration.capacity) * AddressMap.guestStride
    #expect(lastGuest <= AddressMap.end)
    #expect(AddressMap.guestHighOffset >= GuestMemory.highStart)
    #expect(AddressMap.guestHigh + (512 * .GiB) <= AddressMap.guests)
    #expect(AddressMap.guestHighOffset + (512 * .GiB) <= AddressMap.guestStride)
    #expect(1 + ConsoleConfiguration.capacity + SwitchConfiguration.capacity - 1 <= BootLimits.domains)
  }

  @Test func `a disk server finds everything it shares, and has room for every VM`() {
    #expect(MemoryLayout<DiskConfiguration>.size <= Int(AddressMap.virtualCPU - AddressMap.configuration))
    #expect(MemoryLayout<DiskCounters>.size <= 4096)
    #expect(MemoryLayout<DeviceInformation>.size <= 4096)
    #expect(MemoryLayout<DeviceDescription>.size <= DeviceLink.descriptionSize)
    #expect(AddressMap.deviceMemory + DiskConfiguration.deviceMemorySize <= AddressMap.serverState)
    #expect(AddressMap.serverState + DiskConfiguration.stateSize <= AddressMap.channels)
    #expect(DiskConfiguration.clientCapacity <= Notifications.channelCount)
    #expect(DiskConfiguration.interruptSlot < Notifications.interruptCount)
    #expect(DiskConfiguration.queueCapacity <= DeviceSetup.queueCapacity)
    #expect(DiskConfiguration.capacity <= BootLimits.devices)
    #expect(DeviceInformation().guests.count >= ConsoleConfiguration.capacity)
  }

  @Test func `a PCI address is made of its parts`() {
    let address = PCIAddress(segment: 0x1234, bus: 0x66, device: 0x11, function: 5)
    #expect(address.rawValue == 0x1234_668d)
    #expect(address.segment == 0x1234 && address.bus == 0x66 && address.device == 0x11 && address.function == 5)
    #expect(PCIAddress(rawValue: .max).device == 31 && PCIAddress(rawValue: .max).function == 7)
  }

  @Test func `a device is described once its server said so, and from then on`() {
    let page = UnsafeMutableRawPointer.allocate(byteCount: Int(DeviceLink.size), alignment: 4096)
    defer { page.deallocate() }
    page.initializeMemory(as: UInt8.self, repeating: 0, count: Int(DeviceLink.size))
    let link = DeviceLink(unsafeBase: page)
    #expect(!link.isDescribed && link.isSettled)

    var description = DeviceDescription()
    description.state = DeviceState.present.rawValue
    description.features = 1 << 9
    description.configuration[63] = 7
    link.describe(description)

    #expect(link.isDescribed && link.isSettled)
    #expect(link.description(as: DeviceDescription.self).features == 1 << 9)
    #expect(link.description(as: DeviceDescription.self).configuration[63] == 7)
  }

  @Test func `the rings of a console channel fit its slot and are powers of two`() {
    #expect(ConsoleChannel.outputOffset + ConsoleChannel.outputSize <= ConsoleChannel.inputOffset)
    #expect(ConsoleChannel.size <= AddressMap.channelStride)
    for size in [ConsoleChannel.outputSize, ConsoleChannel.inputSize] {
      #expect((size - UInt64(ByteRing.headerSize)).nonzeroBitCount == 1)
      #expect(size.isAligned(to: 4096))
    }
    #expect(ConsoleWorkspace.size.isAligned(to: 4096))
    #expect(AddressMap.workspace + ConsoleWorkspace.size <= AddressMap.guestKernel)
  }

  @Test func `the lines of the log lie inside its region, each for itself`() {
    let places = Set((0..<UInt32(LogRing.capacity)).map { LogRing.offset(ofLine: $0) })
    #expect(places.count == LogRing.capacity)
    for line in [0, 1, 509, 510, UInt32.max] {
      let offset = LogRing.offset(ofLine: line)
      #expect(offset >= LogRing.recordsOffset && offset + MemoryLayout<LogRecord>.size <= Int(LogRing.size))
    }
  }

  @Test func `each notification has a bit of its own`() {
    var seen = Notifications.none
    let all =
      (0..<Notifications.channelCount).map { Notifications.channel($0) }
      + (0..<Notifications.interruptCount).map { Notifications.interrupt($0) } + [.timer, .log, .lifecycle]
    for notification in all {
      #expect(notification.rawValue.nonzeroBitCount == 1)
      #expect(!seen.intersects(notification))
      seen.insert(notification)
    }
  }

  @Test func `every exit reason has a name and a place in the tables`() {
    var known = 0
    while ExitReason(rawValue: UInt32(known)) != nil { known += 1 }
    #expect(known == ExitReason.count)
    var tables = 0
    while BootTable(rawValue: tables) != nil { tables += 1 }
    #expect(tables == BootTable.count)
    #expect(tables == BootHeader().tables.count)
  }
}
