// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Machine
import Virtio

/// Disks must be known before the guest looks for them.
extension DeviceLinks {
  /// Nanoseconds after which people are told what a VM waits for. A drive may take half a minute to spin up.
  private static var silence: UInt64 { 5_000_000_000 }

  /// Waits until the servers of the VM's disks have said what there is. A VM that lacks one that it needs ends here.
  func awaitDisks(_ configuration: borrowing VMMConfiguration, _ pc: inout PC, _ scale: TimeScale) {
    let patience = Time.ticks &+ scale.ticks(ofNanoseconds: Self.silence)
    var hasTold = false
    for index in 0..<count where isDisk(index) {
      guard let link = links[index] else { continue }
      let device = configuration.devices[index]
      var description = Self.description(link)
      while description.state == DeviceState.unknown.rawValue {
        if !hasTold, Time.ticks >= patience {
          Kernel.log(.information, "waits for disk \(device.name)")
          hasTold = true
        }
        Kernel.setTimer(atTick: hasTold ? 0 : patience)
        _ = Kernel.wait()
        description = Self.description(link)
      }
      if description.state == DeviceState.missing.rawValue, device.isOptional == 0 {
        Kernel.log(.error, "does not start: disk \(device.name) or its part for this VM is missing")
        Kernel.exit(.powerOff)
      }
      _ = pc.withFunction(index) { $0.describe(description) }
    }
    Kernel.setTimer(atTick: 0)
  }

  private static func description(_ link: DeviceLink) -> DeviceDescription {
    link.isDescribed ? link.description(as: DeviceDescription.self) : DeviceDescription()
  }
}
