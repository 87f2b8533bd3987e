//! A server without some features: what it announces, what its API refuses, and how the flag turns them off.

use axum::{body::Body, http::Method};
use everwire_protocol::{ErrorCode, Feature, GetStatus, Ping, ServerFrame};
use everwire_server::{api::ApiKey, model::features::Features};
use serde_json::Value;

use super::kit::{
    Client, channel, hello, http::Http, key, new_id, program::Program, send, serve, subscribe, token,
};

const KEY: &str = "the API key of the tests";

#[tokio::test]
async fn the_api_refuses_what_is_part_of_a_missing_feature_and_nothing_else() {
    let served = serve(|config| {
        config.dev = false;
        config.key = Some(key());
        config.api_key = Some(ApiKey::new(KEY).unwrap());
        config.session.features = Features::without(Feature::ALL);
    })
    .await;
    let http = Http::to(served.address());
    let user = token("ann", 60, &[]);
    let call = async |method: Method, path: &str, bearer: &str, body: &str| {
        let headers = [("authorization", &*format!("Bearer {bearer}")), ("content-type", "application/json")];
        let (status, _, text) =
            http.request(method, &format!("/api/v1{path}"), &headers, Body::from(body.to_owned())).await;
        (status.as_u16(), serde_json::from_str::<Value>(&text).unwrap()["code"].clone())
    };
    let missing = (404, Value::from("unsupported_feature"));
    for (method, path, bearer, body) in [
        (Method::POST, "/chats", KEY, r#"{"kind":"group","title":"T","users":[{"user":"ann"}]}"#),
        (Method::GET, "/chats/7", KEY, ""),
        (Method::GET, "/chats/7/members", KEY, ""),
        (Method::DELETE, "/chats/7", KEY, ""),
        (Method::DELETE, "/chats/7/members/ann", KEY, ""),
        (Method::GET, "/users/ann/status", KEY, ""),
        (Method::GET, "/channels/presence-room/presence", KEY, ""),
        (Method::POST, "/publish", KEY, r#"{"to":{"chat":"7"},"data":1}"#),
        (Method::POST, "/publish", KEY, r#"{"to":"everyone","event":"e","data":1,"durable":false}"#),
        (Method::GET, "/active-chats", &user, ""),
        (Method::POST, "/online-status", &user, r#"{"is_online":true}"#),
        (Method::POST, "/chats/7/typing", &user, r#"{"is_typing":true}"#),
        (Method::GET, "/chats/7/messages", &user, ""),
    ] {
        assert_eq!(call(method, path, bearer, body).await, missing, "{path}");
    }
    let (status, _) = call(Method::POST, "/publish", KEY, r#"{"to":"everyone","data":1}"#).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_flag_turns_features_off_and_the_core_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory.path().join("everwire.db"), &["--without", "status,chats"]);
    let mut client = Client::open(program.address).await;
    client.say(&[hello("ann", new_id())]).await;
    assert_eq!(client.welcome().await.features, ["presence", "receipts", "ephemeral", "history"]);
    let id = new_id();
    let refused = client.request(id, GetStatus { id, users: vec!["bob".into()] }).await;
    let ServerFrame::Error(refused) = refused else { panic!("{refused:?}") };
    assert_eq!((refused.code, refused.retry), (ErrorCode::UnsupportedFeature.into(), false));
    assert!(refused.message.contains("the status of users"), "{}", refused.message);
    // Many of them are no violation.
    let many: Vec<_> = (0..20).map(|_| GetStatus { id: new_id(), users: Vec::new() }.into()).collect();
    client.say(&many).await;
    client.say(&[Ping { nonce: Some(9) }.into()]).await;
    client.find(|frame| matches!(frame, ServerFrame::Pong(_)).then_some(())).await;
    let joined = client.join(subscribe("news")).await;
    assert_eq!(joined.channel, channel("news"));
    client.say(&[send(new_id(), "news", "hello")]).await;
    assert_eq!(client.ack().await.offset, 1);
}
