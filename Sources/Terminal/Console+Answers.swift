// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

extension Console {
  // MARK: - Words

  /// The first lines on the screen.
  mutating func greet() {
    if configuration.system.count > 0 {
      screen.say("Roost runs \(configuration.system): VMs on this line: \(machines)")
    } else {
      screen.say("Roost: VMs on this line: \(machines)")
    }
    for index in 0..<machines {
      let machine = configuration.machines[index]
      screen.say("  @\(index)  \(machine.name)  \(machine.memory / .MiB) MiB")
    }
    guard machines > 0 else { return }
    screen.say("all VMs are shown; you type to \(configuration.machines[0].name); @? at the start of a line for help")
  }

  mutating func help() {
    screen.say("commands, at the start of a line:")
    if machines > 10 {
      screen.say("  @N      type to VM N; press Enter after a single digit")
      screen.say("  @m N N  type to several VMs: their numbers with blanks between, then Enter")
    } else {
      screen.say("  @N      type to VM N, a digit")
      screen.say("  @m NN   type to several VMs: their digits, then Enter")
    }
    screen.say("  @@      send one @")
    screen.say("  @l      list the VMs: state, uptime, memory, exits, CPU")
    screen.say("  @q      show only the VM you type to, or all VMs")
    screen.say("  @r N    start VM N anew")
    screen.say("  @p N    switch VM N off, or on")
    screen.say("  @b N    send a BREAK to VM N, as for SysRq: @b N, then a letter")
    screen.say("  @w N    press the power button of VM N: wakes it from suspend, or asks it to shut down")
    screen.say("  @i N    send an NMI to VM N")
    screen.say("  @t N    show the last exits of VM N")
    screen.say("  @s N    show the counters of VM N")
    screen.say("  @n      list the switches and their ports; press Enter")
    screen.say("  @n N    show the counters of VM N's ports")
    screen.say("  @d      list the disks and who has what of them; press Enter")
    screen.say("  @d N    show the counters of VM N's disks")
    screen.say("  @?      this list")
    screen.say("Backspace takes a command back. A line starts at the first key and after Enter, ^C, ^D or a command.")
  }

  // MARK: - The list

  /// Starts to measure; a measurement of one to ten seconds that is there already will do.
  mutating func startTable() {
    let now = host.now
    let age = now &- sample.taken
    if age >= host.frequency, age <= 10 &* host.frequency {
      showTable(now)
    } else if tableDue == nil {
      sample = takeSample()
      tableDue = sample.taken &+ host.frequency
    }
  }

  mutating func showTableIfDue(_ now: UInt64) {
    guard let due = tableDue, due <= now, screen.queue.space >= Self.answerRoom else { return }
    showTable(now)
  }

  private mutating func showTable(_ now: UInt64) {
    tableDue = nil
    let newer = takeSample()
    screen.say(MachineTable.header)
    for index in 0..<machines {
      let machine = configuration.machines[index]
      // A restart may set counters back: then they say nothing yet.
      let exits = newer.exits[index] >= sample.exits[index] ? newer.exits[index] - sample.exits[index] : 0
      let ticks = newer.ticks[index] >= sample.ticks[index] ? newer.ticks[index] - sample.ticks[index] : 0
      screen.say(
        MachineTable.row(
          number: index, hasKeyboard: typists & 1 << UInt16(index) != 0, machine: machine,
          status: host.status(of: machine.domain), exits: exits, ticks: ticks,
          period: newer.taken &- sample.taken, now: now, frequency: host.frequency))
    }
    sample = newer
  }

  func takeSample() -> ActivitySample {
    var sample = ActivitySample()
    sample.taken = host.now
    for index in 0..<machines {
      let status = host.status(of: configuration.machines[index].domain)
      sample.exits[index] = status.exits
      sample.ticks[index] = status.ticks
    }
    return sample
  }

  mutating func showStatistics(of index: Int) {
    let machine = configuration.machines[index]
    let status = host.status(of: machine.domain)
    screen.say(Statistics.exits(machine.name, status))
    screen.say(Statistics.rest(machine.name, status))
    screen.say(Statistics.times(machine.name, status))
    screen.say(Statistics.notifications(machine.name, status))
    screen.say("STATS system memory_outside_guests=\(host.memoryOutsideGuests)")
  }

  // MARK: - The trace

  mutating func showTrace(of index: Int) {
    let status = host.status(of: configuration.machines[index].domain)
    let count = min(status.traceCount, 32)
    screen.say("the last \(count) of \(status.traceCount) exits of \(configuration.machines[index].name):")
    guard count > 0 else { return }
    screen.say(TraceTable.header)
    let now = host.now
    for number in (status.traceCount - count)..<status.traceCount {
      screen.say(TraceTable.row(status.trace[Int(number % 32)], now: now, frequency: host.frequency))
    }
  }

  // MARK: - For programs

  /// Says fields, each with a blank before it, in as many lines as they need; every line begins with `subject`.
  mutating func say(_ subject: LogLine, fields count: Int, _ field: (Int) -> LogLine) {
    var line = subject
    for index in 0..<count {
      let field = field(index)
      if line.count + field.count > LogLine.rowCapacity, line.count > subject.count {
        screen.say(line)
        line = subject
      }
      line.appendInterpolation(field)
    }
    screen.say(line)
  }
}
