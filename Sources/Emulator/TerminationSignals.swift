// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// Turns the signals that tell a process to end into bytes of a socket, so that a loop can end in order.
final class TerminationSignals {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  /// Where the numbers arrive.
  let arrivals: Descriptor
  private let sender: Descriptor
  private let sources: [any DispatchSourceSignal]

  init() throws {
    let (arrivals, sender) = try Descriptor.socketPair()
    self.arrivals = arrivals
    self.sender = sender
    sources = Self.numbers.map { number in
      // Dispatch sees a signal only if it does not end the process first.
      _ = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { _ = sender.write([UInt8(number)]) }
      source.activate()
      return source
    }
  }

  deinit {
    for (source, number) in zip(sources, Self.numbers) {
      source.cancel()
      _ = signal(number, SIG_DFL)
    }
    arrivals.close()
    sender.close()
  }
}
