// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Description
import GuestImage
import HostTools
import ImagePacking

/// Why a command ends without having done its work.
enum Failure: Error {
  /// The system description is wrong: what, and where.
  case description([String])
  /// This computer lacks something, or refused something.
  case environment(String)
  /// A signal told the process to end.
  case signalled(Int32)

  /// What the process ends with; 2 is for wrong usage.
  var status: Int32 {
    switch self {
    case .description: 1
    case .environment: 3
    case .signalled(let number): 128 + number
    }
  }

  /// What to tell the person.
  var message: String? {
    switch self {
    case .description(let errors): errors.joined(separator: "\n")
    case .environment(let text): "roost: error: \(text)"
    case .signalled: nil
    }
  }

  /// Runs a step and turns whatever it throws into a `Failure`.
  static func wrapping<Result>(_ body: () async throws -> Result) async throws(Failure) -> Result {
    do {
      return try await body()
    } catch let failure as Failure {
      throw failure
    } catch let errors as DescriptionErrors {
      throw .description([errors.description])
    } catch {
      throw .environment("\(error)")
    }
  }
}
