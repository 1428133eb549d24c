// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Virtio

/// The common configuration (virtio 1.2, §4.1.4.3).
@Suite struct CommonConfigurationTests {
  private let bench = FunctionBench()

  @Test func `offered features show by halves, and nothing beyond them`() {
    let offered = bench.offeredFeatures
    #expect(offered.contains(.version1 | .ringEventIndex | .ringIndirect))
    let halves =
      [(0, offered.rawValue & 0xffff_ffff), (1, offered.rawValue >> 32), (2, 0), (.max, 0)] as [(UInt64, UInt64)]
    for (select, expected) in halves {
      bench[.deviceFeatureSelect] = select & 0xffff_ffff
      #expect(bench[.deviceFeatureSelect] == select & 0xffff_ffff)
      #expect(bench[.deviceFeature] == expected)
    }
    bench[.deviceFeatureSelect] = 0
    bench[.deviceFeature] = 0
    #expect(bench[.deviceFeature] == offered.rawValue & 0xffff_ffff)
  }

  @Test func `what the driver accepted can be read back`() {
    bench[.driverFeatureSelect] = 0
    bench[.driverFeature] = 0x2001_0020
    bench[.driverFeatureSelect] = 1
    bench[.driverFeature] = 1
    #expect(bench[.driverFeature] == 1)
    bench[.driverFeatureSelect] = 0
    #expect(bench[.driverFeature] == 0x2001_0020)
    bench[.driverFeatureSelect] = 7
    #expect(bench[.driverFeature] == 0)
  }

  @Test func `there are three queues of 256 descriptors, and no other`() {
    #expect(bench[.queueCount] == 3)
    for index in [0, 1, 2, 3, 8, 0xffff] as [UInt64] {
      bench[.queueSelect] = index
      #expect(bench[.queueSelect] == index)
      #expect(bench[.queueSize] == (index < 3 ? 256 : 0))
      #expect(bench[.queueEnable] == 0)
    }
  }

  @Test func `nothing can be set of a queue that is not there`() {
    bench.enable(queue: 3, FunctionBench.place(3))
    for register in [CommonRegister.queueSize, .queueEnable, .descriptorsLow, .usedHigh] {
      #expect(bench[register] == 0)
    }
  }

  @Test(arguments: [1, 2, 128, 256] as [UInt64])
  func `a smaller queue of a power of two is taken`(size: UInt64) {
    bench[.queueSize] = size
    #expect(bench[.queueSize] == size)
  }

  @Test(arguments: [0, 3, 255, 512, 0x8000, 0xffff] as [UInt64])
  func `another size leaves the queue as it was`(size: UInt64) {
    bench[.queueSize] = size
    #expect(bench[.queueSize] == 256)
  }

  @Test func `addresses are set by halves, each queue's own`() {
    bench[.queueSelect] = 1
    bench[.descriptorsHigh] = 0x1122_3344
    bench[.descriptorsLow] = 0x5566_7788
    bench[.usedHigh] = 0xffff_ffff
    #expect(bench.read(CommonRegister.descriptorsLow.rawValue, 8) == 0x1122_3344_5566_7788)
    #expect(bench[.usedLow] == 0 && bench[.usedHigh] == 0xffff_ffff)
    bench[.queueSelect] = 0
    #expect(bench[.descriptorsLow] == 0 && bench[.descriptorsHigh] == 0)
    bench[.queueSelect] = 1
    #expect(bench[.descriptorsHigh] == 0x1122_3344)
  }

  @Test func `a queue that is enabled stays as it is until the reset`() {
    bench.negotiate()
    bench.enable(queue: 1, FunctionBench.place(1))
    bench[.queueSize] = 8
    bench[.descriptorsLow] = 0
    bench[.queueEnable] = 0
    #expect(bench[.queueSize] == 256)
    #expect(bench[.descriptorsLow] == FunctionBench.place(1).descriptors)
    #expect(bench[.queueEnable] == 1)
    bench.status = .none
    bench[.queueSelect] = 1
    #expect((bench[.queueEnable], bench[.queueSize], bench[.descriptorsLow]) == (0, 256, 0))
  }

  @Test(arguments: [0, 2, 0x101, 0xffff] as [UInt64])
  func `only a one enables a queue`(value: UInt64) {
    bench[.queueEnable] = value
    #expect(bench[.queueEnable] == 0)
  }

  @Test func `a wide write reaches all registers that it covers, and no part of one`() {
    bench[.queueSelect] = 0
    bench.write(0x1111_2222_3333_4444, at: CommonRegister.descriptorsLow.rawValue, 8)
    #expect(bench.read(CommonRegister.descriptorsLow.rawValue, 8) == 0x1111_2222_3333_4444)
    // From status on: status, generation, queue_select.
    bench.write(0x0002_ff01, at: CommonRegister.status.rawValue, 4)
    #expect(bench.status == .acknowledge)
    #expect(bench[.generation] == 0)
    #expect(bench[.queueSelect] == 2)
    // Two bytes of a dword, and a dword that begins inside one.
    bench[.queueSelect] = 0
    bench.write(0xaaaa, at: CommonRegister.descriptorsLow.rawValue, 2)
    bench.write(0xbbbb_bbbb, at: CommonRegister.descriptorsLow.rawValue + 2, 4)
    #expect(bench.read(CommonRegister.descriptorsLow.rawValue, 8) == 0x1111_2222_3333_4444)
    bench.write(0xff, at: CommonRegister.queueSize.rawValue + 1, 1)
    #expect(bench[.queueSize] == 256)
  }

  @Test func `reads of any width at any offset see the same bytes`() {
    bench.start()
    let bytes = (0..<56).map { UInt8(bench.read($0, 1)) }
    for width in [2, 4, 8] {
      for offset in 0...56 - width {
        let expected = (0..<width).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
        #expect(bench.read(offset, width) == expected)
      }
    }
    #expect(bench.read(56, 8) == 0)
    #expect(bench.read(4090, 8) == 0)
  }
}

/// The device's own configuration (§2.5, §4.1.4.3.1, §5.1.4).
@Suite struct DeviceConfigurationTests {
  private let bench = FunctionBench()

  @Test func `it can be read before anything was agreed on`() {
    let bytes = (0..<12).map { UInt8(bench.read(FunctionLayout.device + $0, 1)) }
    #expect(bytes == [0x02, 0, 0, 0, 0xaa, 0x01, 1, 0, 1, 0, 0x28, 0x23])
    #expect(bench.read(FunctionLayout.device + 12, 8) == 0)
  }

  @Test func `the driver cannot write it`() {
    bench.start()
    for width in [1, 2, 4, 8] { bench.write(.max, at: FunctionLayout.device, width) }
    #expect(bench.read(FunctionLayout.device, 4) == 0xaa00_0000_0002 & 0xffff_ffff)
    #expect(bench.read(FunctionLayout.device + 10, 2) == 9000)
  }

  @Test(arguments: [(0, 68), (67, 68), (68, 68), (1500, 1500), (0xffff, 0xffff)] as [(UInt16, UInt64)])
  func `the MTU is at least 68, and stays`(asked: UInt16, told: UInt64) {
    let bench = FunctionBench(NetworkCard(address: FunctionBench.address, mtu: asked))
    #expect(bench.read(FunctionLayout.device + 10, 2) == told)
    bench.start()
    bench.status = .none
    #expect(bench.read(FunctionLayout.device + 10, 2) == told)
  }

  @Test func `a driver that reads across a change sees another generation`() {
    bench.start()
    _ = bench.read(FunctionLayout.device + 6, 2)
    for isUp in [false, true, false] {
      let before = bench[.generation]
      _ = bench.read(FunctionLayout.device, 4)
      #expect(bench[.generation] == before)
      bench.function.setLink(isUp: isUp)
      #expect(bench.read(FunctionLayout.device + 6, 2) == (isUp ? 1 : 0))
      #expect(bench[.generation] != before)
    }
  }

  @Test func `even 256 changes between two reads show`() {
    bench.start()
    _ = bench.read(FunctionLayout.device, 1)
    let before = bench[.generation]
    for index in 0..<256 { bench.function.setLink(isUp: index % 2 == 1) }
    _ = bench.read(FunctionLayout.device, 1)
    #expect(bench[.generation] != before)
  }

  @Test func `a change of the link interrupts for the configuration`() {
    bench.start()
    bench.function.setLink(isUp: true)
    #expect(!bench.interruptLine)
    bench.function.setLink(isUp: false)
    #expect(bench.interruptLine)
    #expect(bench.read(FunctionLayout.interruptStatus, 1) == 2)
  }
}
