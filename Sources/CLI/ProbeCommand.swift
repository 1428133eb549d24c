// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Survey
import SystemPackage

/// `roost probe`: says whether a machine is fit, and describes a system for it.
struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe", abstract: "Says whether this computer can run Roost, and describes a system for it.",
    discussion: """
      To be run as root under any Linux on the computer in question. What is found goes to standard error, a \
      description that 'roost check' accepts to standard output. Ends with status 3 if the computer cannot run Roost.

      With --save it only copies what it would look at (a few hundred small files of /proc and /sys) into a folder, \
      with which anybody can do the rest by --from. Where there is no 'roost', the script that --script prints does the \
      same. Serial numbers and addresses of network cards are not among them.
      """)

  @Option(help: "Save what Linux says of this computer in a folder, and do nothing else.", completion: .directory)
  var save: String?

  @Option(help: "Look at a computer that was saved in this folder, instead of this one.", completion: .directory)
  var from: String?

  @Flag(help: "Print a shell script that saves a computer as --save does.")
  var script = false

  @OptionGroup var options: CommonOptions

  func validate() throws {
    let choices = [save != nil, from != nil, script].count { $0 }
    if choices > 1 { throw ValidationError("Choose one of --save, --from and --script.") }
  }

  func run() throws {
    guard !script else { return StandardOutput.write(SavingScript.text) }
    let files = MachineFolder(root: FilePath(from ?? "/")).read()
    guard !files.paths.isEmpty else {
      throw Failure.environment("\(from ?? "/") holds no saved machine; make one with 'roost probe --save FOLDER'")
    }
    if let save {
      try MachineFolder(root: FilePath(save)).write(files)
      options.reporter.step("saved", "\(save), \(files.paths.count) files")
      return
    }
    let machine = MachineSurvey(files)
    if !options.quiet { StandardError.write(machine.findings.map { $0.line + "\n" }.joined()) }
    StandardOutput.write(DescriptionText(machine).text)
    if !machine.isFit { throw Failure.environment("this computer cannot run Roost") }
  }
}
