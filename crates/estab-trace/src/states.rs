//! The state table as text, DOT and Mermaid, generated from [`State::next`], which is the only one there is.

use core::fmt::Write;
use estab_tcp::{Cause, State};

/// An edge of the state diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// From this state
    pub from: State,
    /// for this cause
    pub cause: Cause,
    /// to this one.
    pub to: State,
}

/// All edges, by state and cause.
pub fn edges() -> impl Iterator<Item = Edge> {
    State::ALL.into_iter().flat_map(|from| {
        Cause::ALL.into_iter().filter_map(move |cause| {
            let to = from.next(cause)?;
            Some(Edge { from, cause, to })
        })
    })
}

/// Causes that lead from one state to another, joined, so that a picture has one arrow for them.
fn arrows() -> Vec<(State, State, String)> {
    let mut out: Vec<(State, State, String)> = Vec::new();
    for edge in edges() {
        let known = out
            .iter_mut()
            .find(|(from, to, _)| (*from, *to) == (edge.from, edge.to));
        match known {
            Some((_, _, causes)) => {
                causes.push_str(", ");
                causes.push_str(edge.cause.name());
            }
            None => out.push((edge.from, edge.to, edge.cause.name().into())),
        }
    }
    out
}

/// A table to read: states, and what leads where from each.
pub fn text() -> String {
    let mut out = String::new();
    for from in State::ALL {
        let mut name = from.name();
        for edge in edges().filter(|edge| edge.from == from) {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{name:<12}  {:<17}  -> {}", edge.cause.name(), edge.to);
            name = "";
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// A directed graph for Graphviz.
pub fn dot() -> String {
    let mut out = String::from("digraph tcp {\n    node [shape=box, style=rounded];\n");
    for (from, to, causes) in arrows() {
        let causes = causes.replace(", ", "\\n");
        let _ = writeln!(out, "    \"{from}\" -> \"{to}\" [label=\"{causes}\"];");
    }
    out.push_str("}\n");
    out
}

/// A state diagram for Mermaid, which Markdown viewers draw.
pub fn mermaid() -> String {
    let mut out = String::from("stateDiagram-v2\n");
    let id = |state: State| state.name().replace('-', "_");
    for state in State::ALL {
        let _ = writeln!(out, "    state \"{state}\" as {}", id(state));
    }
    out.push_str("    [*] --> CLOSED\n");
    for (from, to, causes) in arrows() {
        let _ = writeln!(out, "    {} --> {}: {causes}", id(from), id(to));
    }
    out
}
