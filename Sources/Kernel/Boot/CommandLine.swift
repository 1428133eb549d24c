// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

/// The words of the kernel's own command line.
struct KernelOptions {
  /// `probe`: only find out whether guests can run here, and say so through the emulator's exit port.
  var isProbe = false
  /// `panic-test`: write to the kernel's own code once everything is set up, which is a panic.
  var isPanicTest = false
  /// `mute-core=N`, for each N from 0 to 9: core N is not told to start, as if it did not answer.
  var muteCores = CoreSet()
  /// `x2apic`: talk to the local APICs by model-specific registers where the processors can, though nothing asks for it.
  var wantsX2APIC = false

  init() {}

  init(_ text: borrowing RawSpan) {
    isProbe = Self.contains("probe", in: text)
    isPanicTest = Self.contains("panic-test", in: text)
    wantsX2APIC = Self.contains("x2apic", in: text)
    for core in 0..<10 where Self.contains(Self.mute(core), in: text) { muteCores.insert(core) }
  }

  private static func mute(_ core: Int) -> ShortName {
    var word: ShortName = "mute-core="
    word.bytes[word.count] = 0x30 + UInt8(truncatingIfNeeded: core)
    return word
  }

  /// Whether `word` is one of the words of `text`.
  private static func contains(_ word: ShortName, in text: borrowing RawSpan) -> Bool {
    var start = 0
    for index in 0...text.byteCount {
      let byte = text.load(index, as: UInt8.self) ?? 0x20
      guard byte == 0x20 else { continue }
      if index - start <= ShortName.capacity, let slice = text.slice(start, count: index - start),
        ShortName(slice) == word
      {
        return true
      }
      start = index + 1
    }
    return false
  }
}
