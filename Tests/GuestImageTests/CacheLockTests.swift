// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestDriver
import Testing

@testable import GuestImage

struct CacheLockTests {
  private actor Visitors {
    private(set) var inside = 0
    private(set) var most = 0
    private(set) var all = 0
    func enter() {
      inside += 1
      all += 1
      most = max(most, inside)
    }
    func leave() { inside -= 1 }
  }

  private struct Failure: Error {}

  @Test func `one at a time is at a cache, and who fails gives it up`() async throws {
    let folder = try TemporaryFolder()
    let visitors = Visitors()
    let silence = Progress { _, _ in }
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<4 {
        group.addTask {
          try? await CacheLock.held(FilePath(folder.path + "/cache"), silence) {
            await visitors.enter()
            try await Task.sleep(for: .milliseconds(20))
            await visitors.leave()
            if number == 1 { throw Failure() }
          }
        }
      }
    }
    #expect(await visitors.most == 1)
    #expect(await visitors.all == 4)
    #expect(await visitors.inside == 0)
  }
}
