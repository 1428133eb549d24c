// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware

/// A VM, the core that it runs on and the memory that it was given.
package struct MachineRow {
  package static var header: LogLine {
    var line = LogLine()
    line.pad(to: Column.name)
    line.append("VM")
    line.append("core", to: Column.core)
    line.append("memory", to: Column.memory)
    line.pad(to: Column.note)
    line.append("from")
    return line
  }

  private let name: ShortName
  private let place: CorePlace
  private let described: Int
  private let memory: UInt64
  private let start: PhysicalAddress

  /// - Parameters:
  ///   - described: The core that its description names.
  ///   - start: Where its memory begins in the machine's.
  package init(_ name: ShortName, _ place: CorePlace, described: Int, memory: UInt64, start: PhysicalAddress) {
    self.name = name
    self.place = place
    self.described = described
    self.memory = memory
    self.start = start
  }

  package var line: LogLine {
    var line = LogLine()
    line.pad(to: Column.name)
    line.append(name)
    switch place.fate {
    case .asDescribed, .moved: line.append(number: UInt64(place.core), to: Column.core)
    case .refused, .exposed: line.append("none", to: Column.core)
    }
    line.append(number: memory / .MiB, to: Column.memory - 4)
    line.append(" MiB")
    line.pad(to: Column.note)
    line.appendInterpolation(hex: start.value)
    switch place.fate {
    case .asDescribed: break
    case .moved: line.appendInterpolation("; core \(described) does not run" as LogLine)
    case .refused: line.appendInterpolation("; stays off: core \(described) does not run" as LogLine)
    case .exposed: line.appendInterpolation("; stays off: core \(described) is a thread of another's" as LogLine)
    }
    return line
  }
}
