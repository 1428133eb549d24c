// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A process of our own in a process group of its own, which never outlives us.
///
/// A watcher in the group reads a pipe whose other end only we hold: when we end, in whatever way, the pipe closes
/// and the watcher ends the group.
package final class ChildProcess: Sendable {
  /// The process, and its group.
  package let identifier: Int32
  /// Our end of the pipe; -1 once closed.
  private let lifeline: Mutex<Int32>
  private let status = Mutex<Int32?>(nil)

  /// Starts `command` (found by PATH) with both its outputs going to the file `output`.
  package init(_ command: [String], output: String) throws {
    var ends: [Int32] = [0, 0]
    // SAFETY: the array has the two elements that the call writes.
    guard unsafe pipe(&ends) == 0 else { throw ConsoleFailure(description: "No pipe: errno \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    lifeline = Mutex(ends[1])
    let script = """
      exec 3<&0 </dev/null
      (read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 &
      exec "$@" 3<&-
      """
    identifier = try ChildProcess.spawn(["/bin/sh", "-c", script, "sh"] + command, input: ends[0], output: output)
    close(ends[0])
  }

  deinit {
    lifeline.withLock { if $0 >= 0 { close($0) } }
  }

  /// How it ended, in words; `nil` while it runs.
  package var ending: String? {
    let status = status.withLock { known -> Int32? in
      if known != nil { return known }
      var value: Int32 = 0
      // SAFETY: `value` is ours, and written before the call returns.
      if unsafe waitpid(identifier, &value, WNOHANG) == identifier { known = value }
      return known
    }
    guard let status else { return nil }
    return status & 0x7f == 0 ? "it ended with status \(status >> 8 & 0xff)" : "signal \(status & 0x7f) ended it"
  }

  /// Asks it to end, and after `grace` makes its whole group end.
  package func end(grace: Duration = .seconds(5)) async {
    if ending == nil { kill(identifier, SIGTERM) }
    let deadline = ContinuousClock.now + grace
    while ending == nil, .now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
    // The group is there as long as the watcher is, so its number cannot be another's by now.
    let isOpen = lifeline.withLock { $0 >= 0 }
    if isOpen { kill(-identifier, SIGKILL) }
    lifeline.withLock {
      if $0 >= 0 { close($0) }
      $0 = -1
    }
    while ending == nil { try? await Task.sleep(for: .milliseconds(5)) }
  }

  /// Processor time that it and its descendants in the same group have used up to now.
  package var processorTime: Duration {
    ProcessorTime.ofGroup(identifier)
  }

  private static func spawn(_ arguments: [String], input: Int32, output: String) throws -> pid_t {
    // SAFETY, for all of this function: both objects are initialised before they are used and destroyed after; every
    // argument is a copy that lives until the array of pointers, which ends in nil, has been used.
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let copies = unsafe arguments.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let result = unsafe posix_spawnp(&process, arguments[0], &actions, &attributes, copies + [nil], environ)
    guard result == 0 else { throw ConsoleFailure(description: "\(arguments[0]) did not start: errno \(result)") }
    return process
  }
}
