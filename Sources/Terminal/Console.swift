// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import Bits

/// One serial line shared by up to 16 VMs: all the state of the console component, and what it does when it wakes.
///
/// `step` looks at everything that may have changed, whatever the wake-up was for: levels, not edges. Output waits in
/// the VMs' rings while the UART is busy; only a little is taken ahead, so that an echo is never far behind.
package struct Console<Space: PortSpace, Host: ConsoleHost> {
  /// Bytes of guest output and log that may wait for the UART: at 115200 baud, a fifth of a second.
  static var outputAhead: Int { 2048 }
  /// Room for the longest answer to a command.
  static var answerRoom: Int { 16 * 1024 }

  package var host: Host
  var port: SerialPort<Space>
  let configuration: ConsoleConfiguration
  let machines: Int
  var screen: ScreenMultiplexer
  var keyboard: LineMultiplexer
  var keys: ByteQueue
  var log: LogView
  /// The VMs that get what is typed, one bit each.
  var typists: UInt16 = 1
  var links: InlineArray<16, MachineLink> = InlineArray(repeating: MachineLink())
  /// The VM whose ring is drained first next time.
  var turn = 0
  /// Some hidden VM has more output than was taken in one step.
  var hasMoreHidden = false
  /// What the VMs had used up when `@l` was last asked for.
  var sample = ActivitySample()
  /// When the table of `@l` is shown: once its rates have been measured for a second.
  var tableDue: UInt64?
  /// How far the table of `@n` was shown; `nil` if it is not being shown.
  var networkPlace: NetworkPlace?
  /// How far the table of `@d` was shown; `nil` if it is not being shown.
  var diskPlace: DiskPlace?

  /// Brings up the UART and greets.
  ///
  /// - Precondition: `workspace` points to `ConsoleWorkspace.size(machines:)` bytes for the configuration's VMs that
  ///   nobody else uses; `log` outlives this value.
  package init(
    configuration: ConsoleConfiguration, host: Host, space: Space, log: LogView,
    unsafeWorkspace workspace: UnsafeMutableRawPointer
  ) throws(SerialPortError) {
    self.configuration = configuration
    self.host = host
    self.log = log
    machines = min(Int(configuration.count), ConsoleConfiguration.capacity)
    port = try SerialPort(space, baud: configuration.baud)
    // SAFETY: these parts of the workspace lie side by side; each is used here only.
    unsafe keys = ByteQueue(
      unsafeBase: workspace + Int(ConsoleWorkspace.keysOffset), capacity: ConsoleWorkspace.keysSize)
    let queue = unsafe ByteQueue(
      unsafeBase: workspace + Int(ConsoleWorkspace.transmitOffset), capacity: ConsoleWorkspace.transmitSize)
    let used = machines
    let views = InlineArray<16, MachineView> { index in
      // SAFETY: a history for each VM lies inside the workspace; the views beyond the last VM are never used.
      let history = unsafe ByteQueue(
        unsafeBase: workspace + Int(ConsoleWorkspace.historyOffset)
          + (index < used ? index : 0) * Int(ConsoleWorkspace.historySize),
        capacity: ConsoleWorkspace.historySize)
      return MachineView(name: configuration.machines[index].name, history: History(history))
    }
    screen = ScreenMultiplexer(queue: queue, views: views, count: machines, frequency: host.frequency)
    keyboard = LineMultiplexer(machines: machines)
    for index in 0..<machines {
      let status = host.status(of: configuration.machines[index].domain)
      // What ended before there was a console has yet to be said.
      guard status.state != DomainState.stopped.rawValue, status.state != DomainState.crashed.rawValue else { continue }
      links[index].remember(status)
    }
    sample = takeSample()
    screen.begin(at: host.now)
    greet()
  }

  /// Does all there is to do now; the caller waits for a notification before it calls again.
  package mutating func step() {
    let now = host.now
    port.service(received: &keys, queued: &screen.queue)
    port.receive(into: &keys)
    screen.begin(at: now)
    continueNetworkTable()
    continueDiskTable()
    takeKeys()
    showOutput()
    reportLifeCycles()
    showLog()
    reportLosses()
    showTableIfDue(now)
    if screen.queue.space >= Self.answerRoom { screen.advance(to: now) }
    port.transmit(from: &screen.queue)
    signalMachines()
    host.setTimer(atTick: nextDeadline(after: now))
  }

  /// When `step` has something to do though nobody signals; 0 for never.
  private mutating func nextDeadline(after now: UInt64) -> UInt64 {
    if hasMoreHidden { return now }
    // While the UART is busy its interrupt comes before any line falls due.
    let next = screen.queue.space >= Self.answerRoom ? screen.nextDeadline : nil
    guard let table = tableDue else { return next ?? 0 }
    return min(next ?? table, table)
  }

  private mutating func signalMachines() {
    for index in 0..<machines where links[index].needsSignal {
      links[index].needsSignal = false
      host.signal(machine: index)
    }
  }
}

/// What the console knows of a VM's rings and life.
struct MachineLink {
  /// Typed characters that found no room.
  var dropped: UInt64 = 0
  /// The rings changed, and the VMM should know.
  var needsSignal = false
  /// The output ring was nearly full: the VMM may be waiting for room.
  var wasFull = false
  var state: UInt32 = 0
  var starts: UInt32 = 0
  /// The person was told that the VM does not run.
  var wasRefused = false

  var isRunning: Bool { state == DomainState.running.rawValue }

  mutating func remember(_ status: DomainStatus) {
    state = status.state
    starts = status.starts
  }
}
