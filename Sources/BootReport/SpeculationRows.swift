// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Speculation

/// What the processor gives away while it guesses, and what is done about it: a line for each.
package enum SpeculationRows {
  package static func say(_ plan: SpeculationPlan, isTranslated: Bool, _ say: (LogLine) -> Void) {
    guard !isTranslated else {
      return say(LogLine(report: "speculation", "nothing to do: an emulator that translates guesses nothing"))
    }
    var isFirst = true
    plan.eachAffected { name, answer, isOpen in
      let subject: StaticString = isFirst ? "speculation" : ""
      isFirst = false
      let state: StaticString = isOpen ? "vulnerable: " : ""
      say(LogLine(report: subject, "\(name): \(state)\(answer)"))
    }
    var list = ReportList("unaffected")
    plan.eachUnaffected { name in
      if let line = list.add("\(name)") { say(line) }
    }
    if let line = list.end() { say(line) }
  }
}
