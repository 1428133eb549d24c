// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bus

extension ModelBus {
  /// A machine like the reference: several roots, a network card at 66:00.0 behind a root port of the second, the AHCI
  /// controller at 00:11.5, and a card with two functions behind a port without access control services.
  static func reference() -> ModelBus {
    let bus = ModelBus()
    bus[0, 0, 0] = ModelFunction(device: 0x2020, classCode: 0x060000)
    bus[0, 0x11, 0] = ModelFunction(device: 0xa1ec, classCode: 0xff0000).multifunction()
    bus[0, 0x11, 5] = ModelFunction(device: 0xa1d2, classCode: 0x010601)
      .io(4, at: 0xf060, size: 32).memory(5, at: 0xfe00_0000, size: 2048).messages(wide: false).power(keepsState: true)
    bus[0, 0x1c, 0] = ModelFunction(device: 0xa190, classCode: 0x060400, header: 1).bridge(1, 1).express(4)
    bus[0, 0x1f, 0] = ModelFunction(device: 0xa1c9, classCode: 0x060100).memory(0, at: 0xfee0_0000, size: 4096)
    bus[1, 0, 0] = ModelFunction(device: 0x1521).multifunction().memory(0, at: 0xfd00_0000, size: 0x10_0000)
      .express(0, canReset: true)
    bus[1, 0, 1] = ModelFunction(device: 0x1521).multifunction().memory(0, at: 0xfd10_0000, size: 0x10_0000)
      .express(0, canReset: true)
    bus[0x65, 0, 0] = ModelFunction(device: 0x2030, classCode: 0x060400, header: 1).bridge(0x66, 0x66).express(4)
      .isolation(everything)
    let card = ModelFunction(device: 0x37d1).memory64(0, at: 0x38_0000_0000, size: 0x100_0000)
      .memory64(2, at: 0x38_0100_0000, size: 0x8000).rom(at: 0, size: 0x8_0000)
      .power().messages(canMask: true).messageTable(129, range: 2, offset: 0, pending: 0x1000)
      .express(0, canReset: true).extended(0x0f, [0, 0, 0, 0])
    card.answersToAll = true
    card.bytes[0x3d] = 1
    bus[0x66, 0, 0] = card
    bus[0xff, 0x1f, 0] = ModelFunction(device: 0x2080, classCode: 0x088000)
    return bus
  }
}
