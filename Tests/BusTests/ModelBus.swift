// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Bus
import Firmware

/// A function's configuration space: its bytes, and which bits of them software can change.
final class ModelFunction {
  var bytes = [UInt8](repeating: 0, count: 4096)
  var writable = [UInt8](repeating: 0, count: 4096)
  /// Called after each write with offset and width.
  var didWrite: (ModelFunction, Int, Int) -> Void = { _, _, _ in }
  /// How many more reads are answered with ones, as while a reset goes on.
  var silence = 0
  /// Whether it answers to every device number of its bus.
  var answersToAll = false
  private var nextCapability = 0x40
  private var lastLink = 0x34
  private var nextExtended = 0x100

  init(vendor: UInt16 = 0x8086, device: UInt16 = 0x1234, classCode: UInt32 = 0x020000, header: UInt8 = 0) {
    put(vendor, at: 0)
    put(device, at: 2)
    put(classCode << 8 | 1, at: 8)
    put(header, at: 14)
    put(UInt16(0x0407), at: 4, in: \.writable)
    put(UInt8(0xff), at: 0x3c, in: \.writable)
    if header & 0x7f == 1 { put(UInt16(0x40), at: 0x3e, in: \.writable) }
  }

  func put<T: FixedWidthInteger>(_ value: T, at offset: Int) { put(value, at: offset, in: \.bytes) }

  func put<T: FixedWidthInteger>(_ value: T, at offset: Int, in field: ReferenceWritableKeyPath<ModelFunction, [UInt8]>)
  {
    for index in 0..<MemoryLayout<T>.size {
      self[keyPath: field][offset + index] = UInt8(truncatingIfNeeded: value >> T(8 * index))
    }
  }

  func word<T: FixedWidthInteger>(_ offset: Int, as type: T.Type = T.self) -> T {
    (0..<MemoryLayout<T>.size).reduce(0) { $0 | T(truncatingIfNeeded: bytes[offset + $1]) << T(8 * $1) }
  }

  // MARK: - Building

  func memory(_ index: Int, at address: UInt32, size: UInt32, prefetchable: Bool = false) -> Self {
    put(address | (prefetchable ? 8 : 0), at: 16 + 4 * index)
    put(~(size - 1), at: 16 + 4 * index, in: \.writable)
    return self
  }

  func memory64(_ index: Int, at address: UInt64, size: UInt64) -> Self {
    put(address | 4, at: 16 + 4 * index)
    put(~(size - 1), at: 16 + 4 * index, in: \.writable)
    return self
  }

  func io(_ index: Int, at port: UInt32, size: UInt32, bits: UInt32 = 0xffff) -> Self {
    put(port | 1, at: 16 + 4 * index)
    put(~(size - 1) & bits, at: 16 + 4 * index, in: \.writable)
    return self
  }

  func rom(at address: UInt32, size: UInt32) -> Self {
    put(address, at: 0x30)
    put(~(size - 1) | 1, at: 0x30, in: \.writable)
    return self
  }

  func bridge(_ secondary: UInt8, _ subordinate: UInt8) -> Self {
    put(secondary, at: 0x19)
    put(subordinate, at: 0x1a)
    return self
  }

  func multifunction() -> Self {
    bytes[14] |= 0x80
    return self
  }

  /// Adds a capability with this body; a write mask of ones from byte `writableFrom` on.
  func capability(_ identifier: UInt8, _ body: [UInt8], writableFrom: Int? = nil) -> Self {
    let offset = nextCapability
    bytes[offset] = identifier
    bytes[lastLink] = UInt8(offset)
    bytes[6] |= 0x10
    lastLink = offset + 1
    for (index, byte) in body.enumerated() {
      bytes[offset + 2 + index] = byte
      if let first = writableFrom, 2 + index >= first { writable[offset + 2 + index] = 0xff }
    }
    nextCapability = (offset + 2 + body.count + 3) & ~3
    return self
  }

  func extended(_ identifier: UInt16, _ body: [UInt8]) -> Self {
    let offset = nextExtended
    put(UInt32(identifier) | 1 << 16, at: offset)
    if offset > 0x100 { put(word(lastExtended, as: UInt32.self) | UInt32(offset) << 20, at: lastExtended) }
    for (index, byte) in body.enumerated() { bytes[offset + 4 + index] = byte }
    lastExtended = offset
    nextExtended = offset + 0x40
    return self
  }
  private var lastExtended = 0x100

  /// PCI Express of this role; with a reset of its own.
  func express(_ role: UInt8, canReset: Bool = false) -> Self {
    var body = [UInt8](repeating: 0, count: 0x3a)
    body[0] = role << 4 | 2
    body[5] = canReset ? 0x10 : 0
    let offset = nextCapability
    _ = capability(0x10, body)
    put(UInt16(0xffff), at: offset + 8, in: \.writable)
    put(UInt16(0xffff), at: offset + 0x10, in: \.writable)
    return self
  }

  /// Access control services that can switch on `offered`.
  func isolation(_ offered: UInt16) -> Self {
    let offset = nextExtended
    _ = extended(0x0d, [UInt8(truncatingIfNeeded: offered), UInt8(offered >> 8), 0, 0])
    put(offered, at: offset + 6, in: \.writable)
    return self
  }

  func power(keepsState: Bool = false) -> Self {
    let offset = nextCapability
    _ = capability(1, [3, 0, keepsState ? 8 : 0, 0, 0, 0])
    writable[offset + 4] = 3
    return self
  }

  func messages(wide: Bool = true, canMask: Bool = false) -> Self {
    let control: UInt8 = (wide ? 0x80 : 0) | 2 << 1
    let offset = nextCapability
    _ = capability(5, [control, canMask ? 1 : 0] + [UInt8](repeating: 0, count: 20), writableFrom: 4)
    writable[offset + 2] = 0x71
    return self
  }

  func messageTable(_ count: UInt16, range: UInt32, offset: UInt32, pending: UInt32) -> Self {
    let place = nextCapability
    _ = capability(0x11, [UInt8](repeating: 0, count: 10))
    put(count - 1, at: place + 2)
    put(UInt16(0xc000), at: place + 2, in: \.writable)
    put(offset | range, at: place + 4)
    put(pending | range, at: place + 8)
    return self
  }
}

/// All configuration spaces of a machine.
final class ModelBus: ConfigurationAccess {
  struct Write: Equatable {
    var function: UInt16
    var offset: Int
    var value: UInt32
  }

  var functions: [UInt32: ModelFunction] = [:]
  var size = 4096
  var writes: [Write] = []
  var reads = 0

  func add(_ address: FunctionAddress, _ function: ModelFunction) { functions[Self.key(address)] = function }

  subscript(_ bus: UInt8, _ device: UInt8, _ function: UInt8) -> ModelFunction? {
    get { self[FunctionAddress(bus: bus, device: device, function: function)] }
    set { functions[Self.key(FunctionAddress(bus: bus, device: device, function: function))] = newValue }
  }

  subscript(_ address: FunctionAddress) -> ModelFunction? {
    if let found = functions[Self.key(address)] { return found }
    let first = FunctionAddress(segment: address.segment, bus: address.bus, device: 0, function: address.function)
    return functions[Self.key(first)].flatMap { $0.answersToAll ? $0 : nil }
  }

  private static func key(_ address: FunctionAddress) -> UInt32 {
    UInt32(address.segment) << 16 | UInt32(address.requester)
  }

  func reach(_ function: FunctionAddress) -> Int { size }

  func read(_ function: FunctionAddress, _ offset: Int, width: Int) -> UInt32 {
    precondition(offset >= 0 && offset + width <= size && offset % width == 0, "no such register: \(offset)")
    reads += 1
    let ones = UInt32.max >> UInt32(32 - 8 * width)
    guard let model = self[function] else { return ones }
    guard model.silence == 0 else {
      model.silence -= 1
      return ones
    }
    return (0..<width).reduce(0) { $0 | UInt32(model.bytes[offset + $1]) << UInt32(8 * $1) }
  }

  func write(_ value: UInt32, to function: FunctionAddress, _ offset: Int, width: Int) {
    precondition(offset >= 0 && offset + width <= size && offset % width == 0, "no such register: \(offset)")
    writes.append(Write(function: function.requester, offset: offset, value: value))
    guard let model = self[function] else { return }
    for index in 0..<width {
      let mask = model.writable[offset + index]
      let byte = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
      model.bytes[offset + index] = model.bytes[offset + index] & ~mask | byte & mask
    }
    model.didWrite(model, offset, width)
  }

  /// All functions, as the scan finds them.
  func scan(_ windows: ConfigurationWindows? = nil) -> [PCIFunction] {
    var scan = PCIScan(windows)
    var found: [PCIFunction] = []
    while let function = scan.next(in: self) { found.append(function) }
    return found
  }

  /// The groups of the functions, each as the addresses of its members.
  func groups() -> [[String]] {
    var found = scan()
    for index in found.indices { found[index].enableIsolation(in: self) }
    var span = found.mutableSpan
    span.assignGroups()
    return Dictionary(grouping: found, by: \.group).values.map { $0.map(\.name) }.sorted { $0[0] < $1[0] }
  }
}

extension PCIFunction {
  /// The address as people write it.
  var name: String { text("\(address)") }
}

/// The text of a line.
func text(_ line: LogLine) -> String { String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self) }

/// An address by its parts.
func at(_ bus: UInt8, _ device: UInt8, _ function: UInt8 = 0) -> FunctionAddress {
  FunctionAddress(bus: bus, device: device, function: function)
}

/// Ports with all of access control services.
let everything: UInt16 = 0x1f
