// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

/// Ends what a suite has started when the last of its tests is done.
struct Ending: SuiteTrait, TestScoping {
  let end: @Sendable () async -> Void

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    do { try await function() } catch {
      await end()
      throw error
    }
    await end()
  }
}

extension Trait where Self == Ending {
  static func ending(_ end: @escaping @Sendable () async -> Void) -> Self { Ending(end: end) }
}
