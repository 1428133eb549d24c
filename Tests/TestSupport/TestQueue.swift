// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// A driver's side of a queue, as a good driver has it. Each descriptor has a buffer of its own.
package final class TestQueue {
  package let memory: TestMemory
  package let setup: QueueSetup
  package let bufferSize: Int
  private let buffers: Int
  private let hasEventIndex: Bool
  package private(set) var free: [UInt16]
  private var availableIndex: UInt16 = 0
  package private(set) var usedSeen: UInt16 = 0
  /// Whether a kick is on its way to the device.
  package var hasKicked = false
  package var size: Int { Int(setup.size) }

  /// Bytes that a queue takes in memory.
  package static func byteCount(size: Int, bufferSize: Int) -> Int { size * (32 + bufferSize) + 4096 }

  package init(_ memory: TestMemory, size: Int, bufferSize: Int, at address: Int, hasEventIndex: Bool) {
    self.memory = memory
    self.bufferSize = bufferSize
    self.hasEventIndex = hasEventIndex
    let available = address + 16 * size
    let used = (available + 6 + 2 * size + 3) / 4 * 4
    buffers = used + 6 + 8 * size
    setup = QueueSetup(
      size: UInt16(size), isEnabled: true, descriptors: UInt64(address), available: UInt64(available),
      used: UInt64(used))
    free = (0..<UInt16(size)).reversed()
    memory.fill(address, count: buffers - address)
  }

  /// Where the buffer of a descriptor is.
  package func place(_ descriptor: UInt16) -> Int { buffers + Int(descriptor) * bufferSize }

  /// Makes a chain of `pieces` available, each a buffer with so many bytes.
  /// - Returns: Whether there were descriptors for it.
  package func offer(_ pieces: [(length: Int, isWritable: Bool)], fill: ([UInt16]) -> Void = { _ in }) -> Bool {
    guard free.count >= pieces.count else { return false }
    let chain = pieces.indices.map { _ in free.removeLast() }
    for (index, piece) in pieces.enumerated() {
      let entry = Int(setup.descriptors) + 16 * Int(chain[index])
      let isLast = index == pieces.count - 1
      memory[entry] = UInt64(place(chain[index]))
      memory[entry + 8] = UInt32(piece.length)
      memory[entry + 12] = UInt16((isLast ? 0 : 1) | (piece.isWritable ? 2 : 0))
      memory[entry + 14] = isLast ? 0 : chain[index + 1]
    }
    fill(chain)
    memory[Int(setup.available) + 4 + 2 * (Int(availableIndex) % size)] = chain[0]
    availableIndex &+= 1
    memory[Int(setup.available) + 2] = availableIndex
    if wantsKick { hasKicked = true }
    return true
  }

  /// Takes the next chain that the device is done with.
  package func take() -> (head: UInt16, written: Int)? {
    guard memory[Int(setup.used) + 2, UInt16.self] != usedSeen else { return nil }
    let entry = Int(setup.used) + 4 + 8 * (Int(usedSeen) % size)
    usedSeen &+= 1
    // The driver asks for an interrupt for the next one (virtio 1.2, §2.7.7.1).
    memory[Int(setup.available) + 4 + 2 * size] = usedSeen
    return (UInt16(truncatingIfNeeded: memory[entry, UInt32.self]), Int(memory[entry + 4, UInt32.self]))
  }

  /// Has the descriptors of a chain back.
  package func release(_ head: UInt16) {
    var index = head
    while true {
      free.append(index)
      let entry = Int(setup.descriptors) + 16 * Int(index)
      guard memory[entry + 12, UInt16.self] & 1 != 0 else { return }
      index = memory[entry + 14]
    }
  }

  /// What the device wants to hear of the chain that was just made available (virtio 1.2, §2.7.10.1).
  private var wantsKick: Bool {
    guard hasEventIndex else { return memory[Int(setup.used), UInt16.self] & 1 == 0 }
    return memory[Int(setup.used) + 4 + 8 * size, UInt16.self] == availableIndex &- 1
  }
}
