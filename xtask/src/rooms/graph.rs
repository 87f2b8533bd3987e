//! A graph of named nodes: which edges it has, and which nodes form circles.

use std::collections::{BTreeMap, BTreeSet};

/// Names and the names that each of them points to.
#[derive(Default)]
pub(super) struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    pub(super) fn add_node(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_default();
    }

    /// Adds an edge, unless it leads from a node to itself.
    pub(super) fn add_edge(&mut self, from: &str, to: &str) {
        self.add_node(to);
        if from != to {
            self.0.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(from, to)| to.iter().map(move |to| (from.as_str(), to.as_str())))
    }

    /// The strongly connected components of two nodes and more, in order.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.nodes().map(|node| (node, self.reached_from(node))).collect();
        let mut circles = BTreeSet::new();
        for (node, others) in &reached {
            if others.contains(node) {
                let circle = others.iter().filter(|other| reached[**other].contains(node));
                circles.insert(circle.map(|other| (*other).to_owned()).collect::<Vec<_>>());
            }
        }
        circles.into_iter().collect()
    }

    /// Everything that a way leads to from a node.
    pub(super) fn reached_from(&self, node: &str) -> BTreeSet<&str> {
        let (mut reached, mut waiting) = (BTreeSet::new(), vec![node]);
        while let Some(node) = waiting.pop() {
            for next in self.0.get(node).into_iter().flatten() {
                if reached.insert(next.as_str()) {
                    waiting.push(next);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found_apart_from_what_only_leads_to_them() {
        let mut graph = Graph::default();
        for (from, to) in [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("d", "e"), ("e", "d"), ("a", "a")]
        {
            graph.add_edge(from, to);
        }
        assert_eq!(graph.circles(), [["b", "c"], ["d", "e"]]);
    }
}
