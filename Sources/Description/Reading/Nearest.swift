// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The word that somebody who wrote `text` probably meant; `nil` if none is near.
func nearest(to text: String, in words: [String]) -> String? {
  let text = Array(text.lowercased().prefix(40))
  let distances = words.map { (word: $0, distance: distance(from: text, to: Array($0))) }
  guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(1, best.word.count / 3) ? best.word : nil
}

/// How many letters must be added, removed, changed, or swapped with the next to turn one word into the other.
private func distance(from: [Character], to: [Character]) -> Int {
  var previous: [Int] = []
  var current = Array(0...to.count)
  for row in from.indices {
    let beforePrevious = previous
    previous = current
    current[0] = row + 1
    for column in to.indices {
      let change = previous[column] + (from[row] == to[column] ? 0 : 1)
      current[column + 1] = min(change, previous[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, from[row] == to[column - 1], from[row - 1] == to[column] {
        current[column + 1] = min(current[column + 1], beforePrevious[column - 1] + 1)
      }
    }
  }
  return current[to.count]
}
