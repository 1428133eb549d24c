// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What VM entry wants of control words that belong together (Intel SDM volume 3, §27.2.1): after an entry that refused
/// them, which of the words it was.
extension VMXControls {
  /// The first rule that is broken; `nil` if none of those known here is.
  package var offence: VMXOffence? {
    let own = VMXControlWords(pin: pin, processor: processor, secondary: secondary, exit: exit)
    let shared = VMXControlWords(
      pin: pin | posting, processor: processor, secondary: secondary | sharing, exit: exit)
    return own.offence ?? shared.offence
  }
}

/// The control words between which there are rules.
struct VMXControlWords {
  var pin: UInt32
  var processor: UInt32
  var secondary: UInt32
  var exit: UInt32

  var offence: VMXOffence? {
    let delivers = secondary & SecondaryControl.deliverInterrupts.mask != 0
    if delivers, pin & PinControl.interrupt.mask == 0 {
      return .init("secondary controls", UInt64(secondary), "deliver interrupts without external-interrupt exiting")
    }
    if delivers, processor & ProcessorControl.shadowPriority.mask == 0 {
      return .init("secondary controls", UInt64(secondary), "deliver interrupts without a TPR shadow")
    }
    if exit & ExitControl.saveTimer.mask != 0, pin & PinControl.timer.mask == 0 {
      return .init("exit controls", UInt64(exit), "save the value of a timer that is not active")
    }
    if pin & PinControl.postedInterrupts.mask != 0, !delivers || exit & ExitControl.takeInterrupt.mask == 0 {
      return .init("pin controls", UInt64(pin), "post interrupts that nobody delivers")
    }
    return nil
  }
}
