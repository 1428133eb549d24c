// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

/// Who calls whom in an image without indirect branches.
struct CallGraph {
  private struct Edge: Hashable {
    let function: Substring
    /// 1 for a call, 0 for a jump.
    let depth: Int
  }

  private var edges: [Substring: Set<Edge>] = [:]

  /// - Parameter code: What objdump says.
  init(_ code: [Substring]) {
    var function: Substring = ""
    for line in code {
      if line.hasSuffix(">:"), let name = line.firstMatch(of: /<(.+)>:/) {
        function = name.1
        edges[function] = []
      }
      guard let branch = line.firstMatch(of: /\b(call|j[a-z]+) +[0-9a-f]+ <([^+>]+)/) else { continue }
      // Nothing deals out memory any more when the cores run.
      guard branch.2 != function, !branch.2.contains("10BootMemoryV") else { continue }
      edges[function, default: []].insert(Edge(function: branch.2, depth: branch.1 == "call" ? 1 : 0))
    }
  }

  /// The most calls that are open at once.
  /// - Returns: How many, and the functions.
  func deepest(from root: Substring) throws -> (depth: Int, chain: [Substring]) {
    var known: [Substring: (depth: Int, chain: [Substring])] = [:]
    var open: Set<Substring> = []
    func deepest(_ function: Substring) throws -> (depth: Int, chain: [Substring]) {
      if let answer = known[function] { return answer }
      try #require(open.insert(function).inserted, "\(function) calls itself")
      var best = (depth: 0, chain: [function])
      for edge in edges[function] ?? [] {
        let below = try deepest(edge.function)
        if below.depth + edge.depth > best.depth { best = (below.depth + edge.depth, [function] + below.chain) }
      }
      open.remove(function)
      known[function] = best
      return best
    }
    return try deepest(root)
  }

  /// The most calls on the way to a function.
  func depth(of function: Substring, from root: Substring) throws -> Int {
    var depths: [Substring: Int] = [root: 0]
    var waiting = [root]
    while let next = waiting.popLast() {
      let depth = try #require(depths[next])
      for edge in edges[next] ?? [] where depths[edge.function, default: -1] < depth + edge.depth {
        depths[edge.function] = depth + edge.depth
        waiting.append(edge.function)
      }
    }
    return try #require(depths[function], "\(function) is called")
  }
}
