// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Saves a machine where there is no `roost`: a script for any shell, even that of a rescue system.
package enum SavingScript {
  /// The script; its argument is the folder to save in.
  package static var text: String {
    """
    #!/bin/sh
    # Saves what Linux says of this computer, for 'roost probe --from FOLDER'. Run it as root: sh save.sh FOLDER
    mkdir -p "${1:?name the folder to save in}" && folder=$(cd "$1" && pwd) && cd / || exit
    for file in \(MachineFiles.patterns.joined(separator: " \\\n  ")); do
      test -e "$file" || continue
      mkdir -p "$folder/${file%/*}"
      if test -d "$file"; then : > "$folder/$file"; else cat "$file" > "$folder/$file" 2>/dev/null; fi
    done

    """
  }
}
