// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension LocalAPIC {
  /// The local vector table (Intel SDM volume 3, §11.5.1), in the order of its registers.
  struct LocalVectorTable {
    // Six words with names, not an array: an entry is looked at at every exit, and an array would be copied whole for it.
    var timer = LocalVector.masked
    var thermal = LocalVector.masked
    var performance = LocalVector.masked
    var lint0 = LocalVector.masked
    var lint1 = LocalVector.masked
    var error = LocalVector.masked

    subscript(entry: LocalEntry) -> LocalVector {
      get {
        switch entry {
        case .timer: timer
        case .thermal: thermal
        case .performance: performance
        case .lint0: lint0
        case .lint1: lint1
        case .error: error
        }
      }
      set {
        switch entry {
        case .timer: timer = newValue
        case .thermal: thermal = newValue
        case .performance: performance = newValue
        case .lint0: lint0 = newValue
        case .lint1: lint1 = newValue
        case .error: error = newValue
        }
      }
    }
  }
}
