//! The node kinds an engine knows, by name.
use std::{collections::BTreeMap, sync::Arc};

use runstone_model::flow::{KindInfo, Kinds};

use crate::node::{Node, Spec};

/// Node kinds by name.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, (Spec, Arc<dyn Node>)>);

impl Registry {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind; a later one of the same name replaces an earlier.
    pub fn add(&mut self, node: Arc<dyn Node>) -> &mut Self {
        let spec = node.spec();
        self.0.insert(spec.name, (spec, node));
        self
    }

    /// The kind of that name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&(Spec, Arc<dyn Node>)> {
        self.0.get(name)
    }

    /// What the kinds say of themselves, by name.
    pub fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.0.values().map(|(spec, _)| spec)
    }
}

impl Extend<Arc<dyn Node>> for Registry {
    fn extend<T: IntoIterator<Item = Arc<dyn Node>>>(&mut self, nodes: T) {
        for node in nodes {
            self.add(node);
        }
    }
}

impl Kinds for Registry {
    fn get(&self, name: &str) -> Option<KindInfo> {
        self.0.get(name).map(|(spec, _)| KindInfo {
            with: spec.with.clone(),
            result: spec.result.clone(),
            side_effects: spec.side_effects,
        })
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }
}
