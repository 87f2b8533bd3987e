//! Our own server passes all dialogues, and a server with one planted deviation fails the one that is about it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, sync::Arc};

use everwire_conformance::{
    all_for_servers,
    dialogue::Dialogue,
    planted::{DEVIATIONS, NONE, Proxy, missed},
    play::{FEATURES, Server as UnderTest},
    play_all,
    report::{Outcome, Report},
    requirements::{Class, Number, not_covered, requirements},
    tokens::Tokens,
};
use everwire_server::{
    api::ApiKey, auth::token::TokenKey, config::Config, model::features::Features, server::Server,
    transports::Origins,
};

const SECRET: &str = "the secret of the conformance tests";
const KEY: &str = "the key of back ends in these tests";

fn dialogues() -> Vec<Arc<Dialogue>> {
    all_for_servers().unwrap().into_iter().map(Arc::new).collect()
}

async fn start(directory: &tempfile::TempDir) -> Server {
    start_without(directory, &[]).await
}

async fn start_without(directory: &tempfile::TempDir, features: &[&str]) -> Server {
    let mut config = Config::dev(directory.path().join("everwire.db"));
    config.dev = false;
    config.origins = Origins::Listed(Vec::new());
    config.key = Some(TokenKey::new(SECRET).unwrap());
    config.api_key = Some(ApiKey::new(KEY).unwrap());
    config.session.limits.sends_per_minute = Some(600);
    let features: Vec<_> = features.iter().map(|name| name.parse().unwrap()).collect();
    config.session.features = Features::without(&features);
    Server::start(config).await.unwrap()
}

fn under_test(address: &str) -> UnderTest {
    UnderTest::new(address, Some(Tokens::new(SECRET.as_bytes()).unwrap())).with_api_key(Some(KEY.into()))
}

fn assert_passed(
    dialogues: &[Arc<Dialogue>],
    played: Vec<everwire_conformance::report::Played>,
    held: usize,
) {
    let entries = dialogues.iter().map(AsRef::as_ref).zip(played).collect();
    let report = Report::new(Class::Server, entries);
    assert!(report.passed(), "{}", report.text());
    assert!(report.counts().held > held, "{}", report.text());
}

/// Which profiles the server lacks is read from its welcome.
async fn plays_without(features: &[&str], held: usize) {
    let directory = tempfile::tempdir().unwrap();
    let server = start_without(&directory, features).await;
    let dialogues = dialogues();
    let under_test = under_test(&format!("http://{}", server.address())).as_welcomed().await.unwrap();
    let played = play_all(&under_test, &dialogues).await;
    for feature in features {
        let needs = format!("no-{feature}");
        let about = dialogues.iter().zip(&played).filter(|(dialogue, _)| dialogue.needs.contains(&needs));
        let outcomes: Vec<_> = about.map(|(_, played)| &played.outcome).collect();
        assert!(
            !outcomes.is_empty() && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Passed)),
            "{needs}"
        );
    }
    assert_passed(&dialogues, played, held);
    server.stop().await;
}

/// A test for each profile, because each plays everything else.
macro_rules! conforms_without {
    ($($feature:ident),*) => {
        mod a_server_conforms_without {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $feature() {
                    super::plays_without(&[stringify!($feature)], 200).await;
                }
            )*
        }

        #[test]
        fn there_is_no_other_profile() {
            assert_eq!([$(stringify!($feature)),*], FEATURES);
        }
    };
}

conforms_without!(presence, receipts, status, chats, ephemeral, history);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_the_core_alone_conforms() {
    plays_without(&FEATURES, 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_server_passes_every_dialogue() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(&directory).await;
    let dialogues = dialogues();
    let under_test = under_test(&format!("http://{}", server.address())).as_welcomed().await.unwrap();
    let played = play_all(&under_test, &dialogues).await;
    assert_passed(&dialogues, played, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_planted_deviation_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(&directory).await;
    assert!(DEVIATIONS.len() >= 10);
    let address = format!("http://{}", server.address());
    let missed = missed(&under_test(&address), &dialogues()).await.unwrap();
    assert!(missed.is_empty(), "not found: {missed:?}");
    server.stop().await;
}

/// Without this, deviations could be found because the proxy breaks something.
#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_alone_breaks_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(&directory).await;
    let proxy = Proxy::start(&format!("http://{}", server.address()), &NONE).await.unwrap();
    let names: BTreeSet<_> = DEVIATIONS.iter().map(|deviation| deviation.found_by).collect();
    let mut dialogues = dialogues();
    dialogues.retain(|dialogue| names.contains(dialogue.name.as_str()));
    assert_eq!(dialogues.len(), names.len());
    let played = play_all(&under_test(&proxy.address()), &dialogues).await;
    let entries = dialogues.iter().map(AsRef::as_ref).zip(played).collect();
    let report = Report::new(Class::Server, entries);
    assert!(report.passed(), "{}", report.text());
    server.stop().await;
}

/// Each requirement of servers has a dialogue or a vector, or a reason why it has none, and not both.
#[test]
fn every_requirement_is_covered_or_has_a_reason() {
    let covered: BTreeSet<Number> = dialogues().iter().flat_map(|dialogue| dialogue.covers.clone()).collect();
    let reasons = not_covered(Class::Server);
    let of_servers = requirements().into_iter().filter(|(_, found)| found.class.binds(Class::Server));
    let numbers: BTreeSet<Number> = of_servers.map(|(number, _)| number).collect();
    let wrong: Vec<String> = numbers
        .iter()
        .filter(|number| covered.contains(number) == reasons.contains_key(number))
        .chain(reasons.keys().filter(|number| !numbers.contains(number)))
        .map(ToString::to_string)
        .collect();
    assert!(wrong.is_empty(), "without a dialogue and without a reason, or with both: {wrong:?}");
    assert!(reasons.values().all(|reason| !reason.is_empty()));
}
