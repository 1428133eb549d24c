// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Passthrough

/// A device of the guest, as the kernel lets its VMM at it.
struct KernelFunction: PhysicalFunction {
  let number: Int
  /// The device's own ports, by range; 0 where it has none.
  private var ports: InlineArray<6, UInt16> = InlineArray(repeating: 0)

  init(number: Int, _ ranges: InlineArray<6, FunctionRange>) {
    self.number = number
    for index in 0..<6 {
      guard case .io = ranges[index] else { continue }
      ports[index] = UInt16(truncatingIfNeeded: Kernel.readConfiguration(number, 0x10 + 4 * index, width: 4) & 0xfffc)
    }
  }

  func readConfiguration(_ offset: Int, width: Int) -> UInt32 {
    Kernel.readConfiguration(number, offset, width: width)
  }

  func writeConfiguration(_ value: UInt16, at offset: Int) { Kernel.writeConfiguration(number, offset, value) }

  func map(_ range: Int, at address: UInt64?) {
    do throws(Status) { try Kernel.mapDevice(number, range: range, at: address) } catch {
      // Linux looks for sizes by writing all ones; only one that stays there is worth a word.
      guard let address, address & 0xfff == 0, address >> 32 == 0, address < 0xffff_0000 else { return }
      Kernel.log(.warning, "device \(number): its base address \(range) cannot be at \(hex: address)")
    }
  }

  func select(_ delivery: FunctionDelivery) {
    let wanted: PassedDelivery =
      switch delivery {
      case .none: .none
      case .line: .line
      case .message: .message
      case .table: .table
      }
    do throws(Status) { try Kernel.selectInterrupts(number, wanted) } catch {
      Kernel.log(.error, "device \(number) does not send interrupts as its guest wants")
    }
  }

  func setMessage(_ vector: Int, isOpen: Bool) {
    do throws(Status) { try Kernel.setMessage(number, vector, isOpen: isOpen) } catch {
      Kernel.log(.error, "device \(number) has no message \(vector)")
    }
  }

  func acknowledgeLine() { Kernel.acknowledgeInterrupt(slot: number) }

  func readPort(_ range: Int, _ offset: UInt32, width: Int) -> UInt32 {
    Kernel.portIn(ports[range] &+ UInt16(truncatingIfNeeded: offset), width: width)
  }

  func writePort(_ range: Int, _ offset: UInt32, width: Int, value: UInt32) {
    Kernel.portOut(ports[range] &+ UInt16(truncatingIfNeeded: offset), width: width, value)
  }
}
