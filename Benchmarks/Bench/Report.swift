// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// What the measurements say, as people read it.
struct Report {
  let measurements: Measurements
  let subjects: [Subject]

  /// Whether there is anything in the table.
  var hasValues: Bool { !measured.isEmpty }

  private var measured: [Metric] {
    Metric.allCases.filter { metric in subjects.contains { !measurements.all(metric, $0).isEmpty } }
  }

  /// The table of all values and their ratios.
  func table() -> String {
    let titles = ["metric"] + subjects.map(\.title) + ["ratio", "bound", ""]
    let rows = [titles] + measured.map(row)
    let widths = titles.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// Whether every bound that could be looked at holds.
  var holds: Bool { Metric.allCases.allSatisfy { verdict($0) != false } }

  /// Exits by reason, most frequent first.
  func exits() -> String {
    [("while it boots", measurements.exitsBooting), ("while it is idle", measurements.exitsIdle)].map { time, exits in
      let reasons = exits.filter { $0.key != "exits" && $0.value >= 0.05 }.sorted { $0.value > $1.value }
      let words = reasons.map { "\($0.key) \(Report.text($0.value))" }.joined(separator: ", ")
      return "Roost, exits per second \(time): \(Report.text(exits["exits"] ?? 0)) (\(words))"
    }.joined(separator: "\n")
  }

  /// What packets cost, with and without offloads.
  func network() -> String { measurements.networkCosts.map(\.line).joined(separator: "\n") }

  /// Sizes of what was built, and of what it takes.
  func sizes() -> String {
    let programs = ["KernelImage", "VMM", "SwitchServer", "ConsoleServer"].map { name in
      (name, Double((try? ELFFile(name).loadedSize) ?? 0))
    }
    var lines = programs.map { "\($0): \(Report.kibibytes($1)) loaded" }
    lines.append("together: \(Report.kibibytes(programs.map(\.1).reduce(0, +))) (bound: 2 MiB)")
    lines.append(
      "boot image, one guest: \(Report.kibibytes(Report.size(of: "\(Material.folder)/\(Material.image(.one))")))")
    if let memory = measurements.memoryOutsideGuests {
      lines.append("memory outside guests: \(Report.kibibytes(memory)) (bound: 24 MiB)")
    }
    if let ticks = measurements.kernelTicksPerExit {
      lines.append("kernel, per exit: \(Report.text(ticks)) ticks of the time-stamp counter")
    }
    return lines.joined(separator: "\n")
  }

  private func row(_ metric: Metric) -> [String] {
    let cells = subjects.map { subject in
      let all = measurements.all(metric, subject)
      return all.isEmpty ? "-" : all.map(Report.text).joined(separator: " / ")
    }
    let bound = metric.bound.map { bound in
      "\(bound.side.rawValue) \(Report.text(bound.factor))" + (bound.reference.map { " x \($0.title)" } ?? "")
    }
    let verdict = verdict(metric).map { $0 ? "holds" : "NOT REACHED" } ?? ""
    return [metric.rawValue] + cells + [ratio(metric).map(Report.text) ?? "-", bound ?? "-", verdict]
  }

  /// What the bound is about: Roost's mean, over its reference's.
  private func ratio(_ metric: Metric) -> Double? {
    guard let roost = measurements.mean(metric, .roost) else { return nil }
    guard let reference = metric.bound?.reference else { return roost }
    return measurements.mean(metric, reference).map { roost / $0 }
  }

  private func verdict(_ metric: Metric) -> Bool? {
    guard let bound = metric.bound else { return nil }
    return ratio(metric).map(bound.holds)
  }

  static func text(_ value: Double) -> String {
    String(format: value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value)
  }

  private static func kibibytes(_ bytes: Double) -> String { "\(Int((bytes / 1024).rounded(.up))) KiB" }

  private static func size(of path: String) -> Double {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.doubleValue ?? 0
  }
}
