// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

extension Console {
  /// Looks at what was typed, as long as an answer would find room.
  mutating func takeKeys() {
    while screen.queue.space >= Self.answerRoom, let key = keys.removeFirst() {
      switch keyboard.take(key) {
      case .send(let byte): send(byte)
      case .echo: screen.showCommand(keyboard.text)
      case .cancelled: screen.wipeCommand()
      case .command(let command):
        screen.wipeCommand()
        perform(command)
      case .refused(let refusal):
        screen.wipeCommand()
        answer(refusal)
      }
    }
  }

  /// Gives a byte to every VM that has the keyboard.
  private mutating func send(_ byte: UInt8) {
    for index in 0..<machines where typists & 1 << UInt16(index) != 0 {
      guard links[index].isRunning else {
        refuse(index)
        continue
      }
      if host.input(of: index).write(byte) == 0 { links[index].dropped += 1 }
      links[index].needsSignal = true
    }
  }

  /// Says, once, that nobody reads what is typed: it must not turn up in the VM's next life.
  private mutating func refuse(_ index: Int) {
    guard !links[index].wasRefused else { return }
    links[index].wasRefused = true
    screen.say("\(configuration.machines[index].name) does not run: nobody reads what you type; @r \(index) starts it")
  }

  private mutating func perform(_ command: Command) {
    switch command {
    case .select(let index): select(1 << UInt16(index))
    case .selectMany(let mask): select(mask)
    case .literal: send(0x40)
    case .help: help()
    case .list: startTable()
    case .toggleMode: toggleMode()
    case .restart(let index): restart(index)
    case .power(let index): power(index)
    case .press(let key, let index): press(key, of: index)
    case .trace(let index): showTrace(of: index)
    case .statistics(let index): showStatistics(of: index)
    case .network: startNetworkTable()
    case .disks: startDiskTable()
    case .shares(let index): showShares(of: index)
    case .ports(let index): showPorts(of: index)
    }
  }

  // MARK: - The keyboard

  private mutating func select(_ mask: UInt16) {
    typists = mask
    for index in 0..<machines { links[index].wasRefused = false }
    var line = quote()
    line.appendLiteral("typing to")
    var parts = 0
    for index in 0..<machines where mask & 1 << UInt16(index) != 0 {
      line.appendLiteral(parts == 0 ? " " : ", ")
      line.append(configuration.machines[index].name)
      parts += 1
    }
    let focus = mask & 1 << UInt16(screen.focus) != 0 ? screen.focus : mask.trailingZeroBitCount
    if parts == 1, !links[focus].isRunning {
      line.appendLiteral(", which does not run")
    } else if parts == 1, screen.mode == .onlyFocus {
      line.appendLiteral(", and only it is shown")
    }
    screen.focus(on: focus)
    screen.say(line)
  }

  private mutating func toggleMode() {
    var line = quote()
    let mode: ScreenMode = screen.mode == .all ? .onlyFocus : .all
    if mode == .all {
      line.appendLiteral("all VMs are shown, each line behind a name")
    } else {
      line.appendLiteral("only the VM with the keyboard is shown, as it is; @q shows all again")
    }
    screen.show(mode)
    screen.say(line)
  }

  /// The command that was just typed, as the beginning of its answer.
  private func quote() -> LogLine {
    let text = keyboard.text
    var line = LogLine()
    for index in 0..<text.count where text.bytes[index] != 0x0d { line.append(byte: text.bytes[index]) }
    line.appendLiteral(": ")
    return line
  }

  private mutating func answer(_ refusal: Refusal) {
    var line = quote()
    switch refusal {
    case .unknown: line.appendLiteral("there is no such command; @? lists them")
    case .noSuchMachine(let number):
      line.appendLiteral("there is no VM ")
      line.append(magnitude: UInt64(number), radix: 10)
      line.appendLiteral("; @l lists them")
    case .notANumber: line.appendLiteral("the number of a VM is missing; @l lists them")
    case .nobody: line.appendLiteral("name one VM or more, then press Enter")
    }
    screen.say(line)
  }

  // MARK: - Life and death

  private mutating func restart(_ index: Int) {
    var line = quote()
    line.appendLiteral("starting ")
    line.append(configuration.machines[index].name)
    line.appendLiteral(" anew")
    screen.say(line)
    start(index)
  }

  private mutating func power(_ index: Int) {
    var line = quote()
    let isRunning = links[index].isRunning
    line.appendLiteral(isRunning ? "switching off " : "switching on ")
    line.append(configuration.machines[index].name)
    screen.say(line)
    if isRunning {
      host.stop(domain: configuration.machines[index].domain)
    } else {
      start(index)
    }
  }

  /// Presses what a board has beside its keyboard: its VMM does what follows.
  private mutating func press(_ key: MachineKey, of index: Int) {
    let machine = configuration.machines[index].name
    guard links[index].isRunning else {
      screen.say("\(machine) does not run; @r \(index) starts it")
      return
    }
    var line = quote()
    switch key {
    case .lineBreak: line.appendLiteral("a BREAK for ")
    case .powerButton: line.appendLiteral("pressing the power button of ")
    case .nonMaskable: line.appendLiteral("an NMI for ")
    }
    line.append(machine)
    screen.say(line)
    host.keys(of: index).press(key, after: host.input(of: index).written)
    links[index].needsSignal = true
  }

  private mutating func start(_ index: Int) {
    links[index].dropped = 0
    host.restart(domain: configuration.machines[index].domain)
  }
}
