// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

/// The interrupt line of a function, as a global system interrupt (GSI).
///
/// Which pin a line is wired to, the firmware says in AML alone; Linux has an interpreter for that and shows what came of
/// it. Its own number is the GSI for the first I/O APIC, by Linux's custom; for others it shows the pin, and which I/O
/// APIC has it follows from the IOMMU: both are behind the same one.
enum InterruptLine: Equatable {
  /// It has none.
  case none
  case known(UInt32)
  /// One of these.
  case among([UInt32])
  case unknown
}

/// Finds interrupt lines.
struct InterruptFinder {
  /// Inputs of an I/O APIC, where nothing says how many there are (Intel 82093AA, §2.4).
  private static let usualPins: UInt32 = 24
  /// Inputs that an I/O APIC can have.
  private static let mostPins: UInt64 = 240

  let files: MachineFiles
  let firmware: FirmwareSurvey
  let bus: BusSurvey

  func line(of function: FunctionSurvey) -> InterruptLine {
    guard function.pin != 0 else { return .none }
    let controllers = firmware.ioapics
    guard function.irq > 0, let first = controllers.first else { return .unknown }
    let folder = "sys/kernel/irq/\(function.irq)"
    let chip = files.text("\(folder)/chip_name")
    // Linux shows the number of a message instead, if the driver uses those.
    if let chip, !chip.hasSuffix("IO-APIC") { return .unknown }
    let end = controllers.dropFirst().first?.gsiBase ?? Self.usualPins
    if first.gsiBase == 0, function.irq < UInt64(end) { return .known(UInt32(function.irq)) }
    guard chip != nil, let pin = files.number("\(folder)/hwirq"), pin < Self.mostPins else { return .unknown }
    return choose(pin: UInt32(pin), among: controllers, for: function)
  }

  private func choose(
    pin: UInt32, among controllers: [IOAPICDescription], for function: FunctionSurvey
  ) -> InterruptLine {
    let near = nearControllers(function)
    var lines: [UInt32] = []
    for (index, controller) in controllers.enumerated() where near?.contains(controller.id) ?? true {
      let (line, isTooLarge) = controller.gsiBase.addingReportingOverflow(pin)
      let end = index + 1 < controllers.count ? controllers[index + 1].gsiBase : .max
      // The first one's lines would have their own numbers.
      if !isTooLarge, line < end, controller.gsiBase > 0 { lines.append(line) }
    }
    return lines.count == 1 ? .known(lines[0]) : lines.isEmpty ? .unknown : .among(lines)
  }

  // MARK: - By the IOMMU

  /// The I/O APICs behind the IOMMU that the function is behind; `nil` if nothing says so.
  private func nearControllers(_ function: FunctionSurvey) -> Set<UInt8>? {
    let near =
      firmware.intel.map { nearControllers(function, $0) } ?? firmware.amd.map { nearControllers(function, $0) }
    guard let near, !near.isEmpty else { return nil }
    return near
  }

  private func nearControllers(_ function: FunctionSurvey, _ remapping: IntelRemapping) -> Set<UInt8> {
    let path = bus.path(to: function)
    var others: Int?
    var own: Int?
    for index in 0..<remapping.unitCount {
      let unit = remapping.unit(index)
      guard unit.segment == function.address.segment else { continue }
      if unit.hasAllOthers { others = index }
      let names = unit.scopes.contains { number in
        let scope = remapping.scope(number)
        guard scope.kind == .endpoint || scope.kind == .bridge else { return false }
        return scope.resolve(bus.secondaryBus).map(path.contains) ?? false
      }
      if names, own == nil { own = index }
    }
    guard let unit = own ?? others else { return [] }
    let scopes = remapping.unit(unit).scopes.map { remapping.scope($0) }
    return Set(scopes.filter { $0.kind == .ioapic }.map(\.identifier))
  }

  private func nearControllers(_ function: FunctionSurvey, _ remapping: AMDRemapping) -> Set<UInt8> {
    let requester = function.address.requester
    let ranges = (0..<remapping.deviceCount).map { remapping.devices($0) }
    guard let unit = ranges.first(where: { $0.first <= requester && requester <= $0.last })?.unit else { return [] }
    let registers = remapping.unit(unit).registers
    let controllers = (0..<remapping.controllerCount).map { remapping.controller($0) }
    // A table may name one IOMMU in several forms.
    let own = controllers.filter { $0.isIOAPIC && remapping.unit($0.unit).registers == registers }
    return Set(own.map(\.identifier))
  }
}
