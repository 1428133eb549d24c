// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Virtio

/// Agreeing on features (virtio 1.2, §2.2 and §3.1.1).
@Suite struct NegotiationTests {
  private let bench = FunctionBench()

  private func agrees(_ features: VirtioFeatures) -> Bool {
    bench.status = .none
    bench.negotiate(features)
    return bench.status.contains(.featuresOK)
  }

  @Test func `all that is offered can be accepted, and as little as VERSION_1`() {
    #expect(agrees(bench.offeredFeatures))
    #expect(bench.features == bench.offeredFeatures)
    #expect(agrees(.version1))
    #expect(bench.features == .version1)
  }

  @Test func `each offered feature can be left out with those that require it`() {
    let offered = bench.offeredFeatures
    for bit in 0..<64 where offered.contains(.bit(bit)) && .bit(bit) != VirtioFeatures.version1 {
      var features = offered
      features.remove(.bit(bit))
      if VirtioFeatures.bit(bit) == .sendChecksum { features.remove(.sendTCP4 | .sendTCP6) }
      if VirtioFeatures.bit(bit) == .receiveChecksum { features.remove(.receiveTCP4 | .receiveTCP6) }
      if VirtioFeatures.bit(bit) == .controlQueue { features.remove(.controlReceive | .controlAddress) }
      #expect(agrees(features), "without feature \(bit)")
    }
  }

  @Test func `a legacy driver is refused`() {
    #expect(!agrees(.address))
    #expect(!agrees(.none))
  }

  @Test func `a feature that is not offered is refused`() {
    for bit in 0..<64 where !bench.offeredFeatures.contains(.bit(bit)) {
      #expect(!agrees(.version1 | .bit(bit)), "feature \(bit)")
    }
  }

  @Test func `a feature beyond bit 63 is refused`() {
    bench.status = .none
    bench[.driverFeatureSelect] = 2
    bench[.driverFeature] = 1
    bench.negotiate(.version1)
    #expect(!bench.status.contains(.featuresOK))
    #expect(agrees(.version1))
  }

  @Test(arguments: [
    (VirtioFeatures.receiveTCP4, VirtioFeatures.receiveChecksum), (.receiveTCP6, .receiveChecksum),
    (.sendTCP4, .sendChecksum), (.sendTCP6, .sendChecksum), (.controlReceive, .controlQueue),
    (.controlAddress, .controlQueue),
  ])
  func `a feature without the one that it requires is refused`(feature: VirtioFeatures, other: VirtioFeatures) {
    #expect(!agrees(.version1 | feature))
    #expect(agrees(.version1 | feature | other))
  }

  @Test func `after FEATURES_OK nothing more can be accepted`() {
    bench.negotiate(.version1 | .address)
    bench[.driverFeatureSelect] = 0
    bench[.driverFeature] = UInt64(VirtioFeatures.mergeableBuffers.rawValue)
    #expect(bench.features == .version1 | .address)
    #expect(bench[.driverFeature] == VirtioFeatures.address.rawValue)
  }

  @Test func `the same features are agreed on again after a reset`() {
    for _ in 0..<3 {
      bench.start()
      #expect(bench.isLive)
      bench.status = .none
      bench.function.resetFinished()
    }
  }
}

/// The status register and resets (§2.1, §2.4).
@Suite struct StatusTests {
  private let bench = FunctionBench()
  private static let live: DeviceStatus = .acknowledge | .driver | .featuresOK | .driverOK

  @Test func `it starts at 0 and gathers what the driver sets`() {
    #expect(bench.status == .none)
    bench.status = .acknowledge
    bench.status = .driver
    #expect(bench.status == .acknowledge | .driver)
  }

  @Test func `DRIVER_OK makes it live, and only after FEATURES_OK`() {
    bench.status = .acknowledge | .driver | .driverOK
    #expect(bench.status == .acknowledge | .driver)
    #expect(!bench.isLive && bench.takeEvents() == .none)
    bench.start()
    #expect(bench.status == Self.live)
    #expect(bench.isLive && bench.takeEvents() == .setupChanged)
  }

  @Test func `FEATURES_OK and DRIVER_OK may come in one write`() {
    bench.negotiate(.version1)
    bench.status = .none
    bench[.driverFeatureSelect] = 1
    bench[.driverFeature] = 1
    bench.status = Self.live
    #expect(bench.isLive)
  }

  @Test func `the driver cannot say that the device needs a reset`() {
    bench.status = DeviceStatus(rawValue: 0x70)
    #expect(bench.status == .none)
  }

  @Test func `the setup is the driver's, and shows no queue but those for data`() {
    #expect(bench.setup.isLive == 0 && bench.setup.queueCount == 0)
    bench.start()
    let setup = bench.setup
    #expect(setup.isLive == 1 && setup.queueCount == 2)
    #expect(setup.features == FunctionBench.usual.rawValue)
    #expect(setup.queues[0] == FunctionBench.place(0))
    #expect(setup.queues[1] == FunctionBench.place(1))
    #expect(setup.queues[2] == QueueSetup())
    #expect(setup.filter.own == FunctionBench.address)
  }

  @Test func `a queue that is enabled late is told`() {
    bench.negotiate()
    bench.enable(queue: 0, FunctionBench.place(0))
    bench.status = Self.live
    _ = bench.takeEvents()
    #expect(bench.setup.queues[1].isEnabled == 0)
    bench.enable(queue: 1, FunctionBench.place(1))
    #expect(bench.takeEvents() == .setupChanged)
    #expect(bench.setup.queues[1].isEnabled == 1)
  }

  @Test func `a device that was never live is reset at once`() {
    bench.negotiate()
    bench.status = .none
    #expect(bench.status == .none && !bench.isResetting)
    #expect(bench.features == .none && bench.takeEvents() == .none)
  }

  @Test func `a live device shows no 0 before the server has let go of its queues`() {
    bench.start()
    _ = bench.takeEvents()
    bench.status = .none
    #expect(bench.takeEvents() == .setupChanged)
    #expect(bench.setup.isLive == 0)
    #expect(bench.isResetting)
    #expect(bench.status == Self.live)
    bench.status = .none
    #expect(bench.status == Self.live)
    bench.function.resetFinished()
    #expect(bench.status == .none && !bench.isResetting)
    #expect(bench.takeEvents() == .none)
  }

  @Test func `a driver that does not wait for the reset becomes live only after it`() {
    bench.start()
    bench.status = .none
    _ = bench.takeEvents()
    bench.start(.version1)
    #expect(bench.status == Self.live)
    #expect(!bench.isLive && bench.setup.isLive == 0)
    bench.function.raise(queue: 0)
    #expect(!bench.interruptLine)
    _ = bench.takeEvents()
    bench.function.resetFinished()
    #expect(bench.takeEvents() == .setupChanged)
    #expect(bench.setup.isLive == 1 && bench.setup.features == VirtioFeatures.version1.rawValue)
    // And its own reset waits for the server again.
    bench.status = .none
    #expect(bench.isResetting)
  }

  @Test func `a reset that was not asked for is not finished`() {
    bench.start()
    bench.function.resetFinished()
    #expect(bench.isLive)
    bench.status = .none
    #expect(bench.isResetting)
  }

  @Test func `a reset leaves no queue, vector, feature, kick or interrupt`() {
    bench.start()
    bench.enableMessages()
    bench[.configurationVector] = 0
    bench.setVector(1, ofQueue: 0)
    bench.function.raise(queue: 0)
    bench.function.writePort(FunctionBench.ports, width: 2, value: 0)
    bench.status = .none
    #expect(bench.takeEvents() == .setupChanged)
    bench.function.resetFinished()
    #expect(bench.takeMessage() == nil)
    #expect(bench[.configurationVector] == 0xffff)
    for index in 0..<3 as Range<UInt64> {
      bench[.queueSelect] = index
      #expect((bench[.queueVector], bench[.queueEnable], bench[.descriptorsLow]) == (0xffff, 0, 0))
    }
    #expect(bench[.driverFeature] == 0)
  }

  @Test func `a driver that gives up has its queues taken from the server`() {
    bench.start()
    _ = bench.takeEvents()
    bench.status = .failed
    #expect(bench.takeEvents() == .setupChanged)
    #expect(bench.setup.isLive == 0)
    bench.status = .none
    #expect(bench.isResetting)
  }

  @Test func `a device that needs a reset says so with an interrupt`() {
    bench.start()
    bench.function.needsReset()
    #expect(bench.status == Self.live | .needsReset)
    #expect(bench.read(FunctionLayout.interruptStatus, 1) == 2)
    bench.function.needsReset()
    #expect(!bench.interruptLine)
    bench.status = .none
    bench.function.resetFinished()
    #expect(bench.status == .none)
  }

  @Test func `a server's complaint that comes after the reset is about nothing`() {
    bench.function.needsReset()
    #expect(bench.status == .none)
    bench.start()
    bench.status = .none
    bench.function.needsReset()
    bench.function.resetFinished()
    #expect(bench.status == .none && !bench.interruptLine)
  }
}

/// Kicks that reach the function by its ports (§4.1.5.2).
@Suite struct KickTests {
  private let bench = FunctionBench()

  @Test func `each queue's port is its kick, whatever the value and the width`() {
    bench.start()
    _ = bench.takeEvents()
    for queue in 0..<3 {
      for (width, value) in [(1, 0), (2, UInt32(queue)), (4, .max)] as [(Int, UInt32)] {
        bench.function.writePort(FunctionBench.ports + UInt16(2 * queue), width: width, value: value)
        #expect(bench.takeEvents() == .kick(queue))
      }
    }
    bench.function.writePort(FunctionBench.ports + 1, width: 1, value: 0)
    bench.function.writePort(FunctionBench.ports + 2, width: 2, value: 1)
    #expect(bench.takeEvents() == .kick(0) | .kick(1))
  }

  @Test func `the port of a queue that is not there is nothing`() {
    bench.start()
    _ = bench.takeEvents()
    for port in 6..<16 as Range<UInt16> { bench.function.writePort(FunctionBench.ports + port, width: 2, value: 0) }
    #expect(bench.takeEvents() == .none)
    #expect(bench.function.readPort(FunctionBench.ports, width: 2) == 0)
  }

  @Test func `a kick before DRIVER_OK is none`() {
    bench.negotiate()
    bench.function.writePort(FunctionBench.ports, width: 2, value: 0)
    #expect(bench.takeEvents() == .none)
  }
}
