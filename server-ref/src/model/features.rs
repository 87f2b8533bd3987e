//! The features that this server has: all of the protocol's, without those that its operator has turned off.

use std::collections::BTreeSet;

use everwire_protocol::{ErrorCode, Feature};

use super::identity::Refusal;

/// The features of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features(BTreeSet<Feature>);

impl Default for Features {
    fn default() -> Self {
        Self::without(&[])
    }
}

impl Features {
    /// All but these.
    pub fn without(missing: &[Feature]) -> Self {
        Self(Feature::ALL.iter().filter(|feature| !missing.contains(feature)).copied().collect())
    }

    /// Whether the server has this one.
    pub fn has(&self, feature: Feature) -> bool {
        self.0.contains(&feature)
    }

    /// Refuses what is part of a feature that the server does not have.
    ///
    /// # Errors
    /// [`ErrorCode::UnsupportedFeature`], with a message for the developer.
    pub fn check(&self, feature: Feature) -> Result<(), Refusal> {
        if self.has(feature) {
            return Ok(());
        }
        let words = format!(
            "This server does not offer {}. Look for {feature:?} in the features of its welcome before you use it, or start the \
             server without `--without {feature}`.",
            feature.words(),
            feature = feature.as_str(),
        );
        Err(Refusal::new(ErrorCode::UnsupportedFeature, words))
    }

    /// Their names, as in `welcome`.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|feature| feature.as_str().into()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_refused_with_its_name() {
        let features = Features::without(&[Feature::Chats]);
        assert_eq!(features.check(Feature::History), Ok(()));
        let refusal = features.check(Feature::Chats).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::UnsupportedFeature);
        assert!(refusal.message.contains("--without chats"), "{}", refusal.message);
        assert_eq!(features.names(), ["presence", "receipts", "status", "ephemeral", "history"]);
        assert_eq!(Features::default().names().len(), Feature::ALL.len());
    }
}
